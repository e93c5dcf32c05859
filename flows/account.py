"""What came of an ingestion, as lines for a person. Knows the counts in the warehouse; reads no source."""

from pathlib import Path

from schemas.plan import IngestedSource
from storage.headlines import load_ingestion

MOST_REASONS = 3


def describe_ingestion(warehouse: Path, ingested: IngestedSource) -> list[tuple[str, str]]:
    """Account for every row, as (subject, description) lines, with the commonest reasons of the rejected ones."""
    stored = load_ingestion(warehouse, ingested.ingest_id, MOST_REASONS)
    reasons = "; ".join(f"{number:,}: {reason}" for reason, number in stored.reasons)
    return [
        ("source", ingested.source),
        ("rows read", f"{stored.rows_read:,}"),
        ("accepted", f"{stored.rows_accepted:,}"),
        ("merged", f"{stored.rows_merged:,}"),
        ("rejected", f"{stored.rows_rejected:,}{f' (most often {reasons})' if reasons else ''}"),
        ("snapshot", stored.snapshot_id),
    ]

"""What came of an ingestion, as lines for a person. Knows the counts in the warehouse; reads no source."""

from pathlib import Path

from schemas.plan import IngestedSource
from storage.examples import data_queries
from storage.headlines import load_ingestion

MOST_REASONS = 3

Lines = list[tuple[str, str]]


def describe_ingestion(warehouse: Path, ingested: IngestedSource) -> tuple[Lines, Lines]:
    """Account for every row, with the commonest reasons of the rejected ones, and name queries that show more.

    Returns:
        The account as (subject, description) lines, and the queries as (what it shows, SQL).
    """
    stored = load_ingestion(warehouse, ingested.ingest_id, MOST_REASONS)
    if stored is None:
        raise ValueError(f"ingestion {ingested.ingest_id}: not in {warehouse}")
    reasons = "; ".join(f"{number:,}: {reason}" for reason, number in stored.reasons)
    lines = [
        ("source", f"{ingested.source}{'' if ingested.is_new else ' (nothing new: it did not change)'}"),
        ("rows read", f"{stored.rows_read:,}"),
        ("accepted", f"{stored.rows_accepted:,}"),
        ("merged", f"{stored.rows_merged:,}"),
        ("rejected", f"{stored.rows_rejected:,}{f' (most often {reasons})' if reasons else ''}"),
        ("snapshot", stored.snapshot_id),
    ]
    if stored.rows_quarantined:
        lines.insert(5, ("quarantined", f"{stored.rows_quarantined:,} rows whose text is also labelled otherwise"))
    queries = data_queries(
        ingested.ingest_id,
        stored.snapshot_id,
        rejected=stored.rows_rejected > 0,
        quarantined=stored.rows_quarantined > 0,
    )
    return lines, queries

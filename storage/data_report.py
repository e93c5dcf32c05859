"""The data report of an ingestion, read from the views of the data."""

from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from schemas.data_report import Changes, CopyCount, CopyGroup, DataReport, Drift, LabelCount, Lengths, ReasonCount
from storage.headlines import load_columns
from storage.named_rows import named_row
from storage.warehouse import reading

MOST_REASONS = 10
MOST_GROUPS = 5

Rows = list[tuple[Any, ...]]


def load_data_report(warehouse: Path, ingest_id: str) -> DataReport:
    """Read the result of an ingestion.

    Raises:
        KeyError: The warehouse does not know the ingestion.
    """
    with reading(warehouse) as connection:
        cursor = connection.execute(
            "SELECT sources.ingest_id, source, kind, encoding, synthetic, snapshot_id, previous_snapshot_id, rows_read,"
            " rows_accepted, rows_merged, rows_rejected, coalesce(rows_quarantined, 0) AS rows_quarantined,"
            " not_read, headlines_damaged, damaged_example, coalesce(rows_left_out, 0) AS rows_left_out,"
            " coalesce(rows_added, 0) AS rows_added"
            " FROM sources JOIN snapshots USING (snapshot_id) WHERE sources.ingest_id = ?",
            [ingest_id],
        )
        counts = named_row(cursor)
        if counts is None:
            raise KeyError(ingest_id)
        return DataReport(
            **counts,
            **_load_ingested(connection, ingest_id),
            **_load_snapshot(connection, counts["snapshot_id"]),
            columns=load_columns(connection, ingest_id),
        )


def load_reasons(warehouse: Path, ingest_id: str, most: int) -> tuple[ReasonCount, ...]:
    """The commonest kinds of reasons for which rows of an ingestion or a scoring were rejected, `most` at most."""
    with reading(warehouse) as connection:
        return _load_reasons(connection, ingest_id, most)


def _load_reasons(connection: DuckDBPyConnection, ingest_id: str, most: int) -> tuple[ReasonCount, ...]:
    rows = connection.execute(
        "SELECT reason, rows_rejected, example_reason FROM rejected_reasons WHERE ingest_id = ?"
        " ORDER BY rows_rejected DESC, reason LIMIT ?",
        [ingest_id, most],
    ).fetchall()
    return tuple(ReasonCount(*row) for row in rows)


def _load_ingested(connection: DuckDBPyConnection, ingest_id: str) -> dict[str, Any]:
    """Labels, reasons and contradictions."""

    def read(sql: str, *more: int) -> Rows:
        rows: Rows = connection.execute(sql, [ingest_id, *more]).fetchall()
        return rows

    labels = read("SELECT label, headlines, rows_accepted, share FROM source_labels WHERE ingest_id = ? ORDER BY label")
    left_out = read(
        "SELECT reason, count(*) FROM left_out_rows WHERE ingest_id = ? GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
        MOST_REASONS,
    )
    resolutions = read("SELECT resolution, count(*) FROM quarantine WHERE ingest_id = ? GROUP BY 1 ORDER BY 1")
    return {
        "labels": tuple(LabelCount(*row) for row in labels),
        "reasons": _load_reasons(connection, ingest_id, MOST_REASONS),
        "resolutions": tuple(resolutions),
        "left_out": tuple(left_out),
    }


def _load_snapshot(connection: DuckDBPyConnection, snapshot_id: str) -> dict[str, Any]:
    """Near copies, lengths, changes and drift."""

    def read(sql: str, *more: int) -> Rows:
        rows: Rows = connection.execute(sql, [snapshot_id, *more]).fetchall()
        return rows

    copies = read(
        "SELECT kind, count(*), sum(headlines)::BIGINT, count(*) FILTER (is_conflicting) FROM near_copies"
        " WHERE snapshot_id = ? GROUP BY kind ORDER BY kind"
    )
    groups = read(
        "SELECT example, headlines, kind, labels FROM near_copies WHERE snapshot_id = ?"
        " ORDER BY headlines DESC, group_id LIMIT ?",
        MOST_GROUPS,
    )
    lengths = read(
        "SELECT label, characters_median, characters_p99, characters_max, words_median"
        " FROM snapshot_statistics WHERE snapshot_id = ? ORDER BY label NULLS LAST"
    )
    changes = read("SELECT added, removed, relabelled, unchanged FROM snapshot_changes WHERE snapshot_id = ?")
    drift = read(
        "SELECT measure, value, previous_value, drift, reason FROM snapshot_drift WHERE snapshot_id = ?"
        " ORDER BY measure"
    )
    return {
        "copies": tuple(CopyCount(*row) for row in copies),
        "largest_groups": tuple(CopyGroup(text, n, kind, tuple(labels)) for text, n, kind, labels in groups),
        "lengths": tuple(Lengths(*row) for row in lengths),
        "changes": Changes(*changes[0]) if changes else None,
        "drift": tuple(Drift(*row) for row in drift),
    }

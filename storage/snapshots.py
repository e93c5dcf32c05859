"""Snapshots: the headlines of a source in order, and which snapshot each one follows."""

from datetime import datetime
from pathlib import Path
from typing import cast

import pandas as pd
from duckdb import DuckDBPyConnection

from storage.order import next_number
from storage.source_records import SourceRecord
from storage.warehouse import reading


def save_snapshot(connection: DuckDBPyConnection, source: SourceRecord, now: datetime, order: str) -> None:
    """Save the frame `accepted` as headlines and a snapshot, or add its copies and agreement to a known one."""
    known = connection.execute("FROM snapshots WHERE snapshot_id = ?", [source.snapshot_id]).fetchall()
    if known:
        _add_to_snapshot(connection, source)
        return
    connection.execute(
        "INSERT INTO headlines BY NAME SELECT headline_id, text, label, $ingest_id AS first_ingest_id, text_id,"
        " masked_id, context FROM accepted ANTI JOIN headlines USING (headline_id)",
        {"ingest_id": source.ingest_id},
    )
    connection.execute(
        "INSERT INTO snapshots BY NAME SELECT $snapshot_id AS snapshot_id, count(*) AS headline_count,"
        " $ingest_id AS ingest_id, $now AS created_at, $previous AS previous_snapshot_id, $number AS number"
        " FROM accepted",
        {
            "snapshot_id": source.snapshot_id,
            "ingest_id": source.ingest_id,
            "now": now,
            "previous": _find_previous(connection, source),
            "number": next_number(connection, "snapshots"),
        },
    )
    numbered = f"SELECT *, row_number() OVER ({order}) - 1 AS position FROM accepted"  # noqa: S608 (a constant of ours)
    connection.execute(
        "INSERT INTO snapshot_headlines BY NAME"  # noqa: S608
        " SELECT $snapshot_id AS snapshot_id, headline_id, position, copies, group_id, agreement"
        f" FROM ({numbered})",
        {"snapshot_id": source.snapshot_id},
    )


def _add_to_snapshot(connection: DuckDBPyConnection, source: SourceRecord) -> None:
    """Keep the numbers of copies that differ, and raise each headline's agreement to the highest of any source.

    A snapshot consists of headlines in order; how often they occur in a source is not part of it.
    """
    connection.execute(
        "INSERT INTO source_copies BY NAME SELECT $ingest_id AS ingest_id, headline_id, accepted.copies"
        " FROM accepted JOIN snapshot_headlines USING (headline_id)"
        " WHERE snapshot_id = $snapshot_id AND snapshot_headlines.copies <> accepted.copies",
        {"ingest_id": source.ingest_id, "snapshot_id": source.snapshot_id},
    )
    connection.execute(
        "UPDATE snapshot_headlines SET agreement = accepted.agreement FROM accepted"
        " WHERE snapshot_headlines.headline_id = accepted.headline_id AND snapshot_id = ?"
        " AND accepted.agreement > coalesce(snapshot_headlines.agreement, 0)",
        [source.snapshot_id],
    )


def _find_previous(connection: DuckDBPyConnection, source: SourceRecord) -> str | None:
    """The snapshot to which that of the frame `accepted` is compared.

    The latest of the same place that was read with the same settings, else the latest of that place. Else the latest of
    another place with half or more of its headlines in `accepted`, which is the same source under another name.
    """
    found = connection.execute(
        "SELECT snapshot_id FROM source_visits JOIN sources USING (ingest_id)"
        " WHERE source_visits.location = $location"
        " ORDER BY coalesce(reading = $reading, false) DESC, source_visits.number DESC LIMIT 1",
        {"location": source.location, "reading": source.reading},
    ).fetchone()
    if not found:  # every headline of every snapshot is read
        found = connection.execute(
            "SELECT snapshot_id FROM snapshots WHERE headline_count <= 2 * (SELECT count(*) FROM snapshot_headlines"
            " JOIN headlines USING (headline_id) SEMI JOIN accepted USING (text_id)"
            " WHERE snapshot_headlines.snapshot_id = snapshots.snapshot_id) ORDER BY number DESC LIMIT 1"
        ).fetchone()
    return cast("str | None", found[0]) if found else None


def load_snapshot(warehouse: Path, snapshot_id: str) -> pd.DataFrame:
    """The snapshot's headlines in order: their ids, text, label, copies, context and instrument."""
    with reading(warehouse) as connection:
        return connection.execute(
            "SELECT headline_id, text_id, masked_id, group_id, text, label, copies, context, instrument"
            " FROM snapshot_headlines JOIN headlines USING (headline_id) WHERE snapshot_id = ? ORDER BY position",
            [snapshot_id],
        ).df()

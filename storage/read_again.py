"""Fills in the rows of a source that an earlier version did not keep, when the source is read again."""

import pandas as pd
from duckdb import DuckDBPyConnection

from schemas.identity import short_hash
from schemas.source import DateOrder
from storage.accepted_rows import save_accepted_rows

_ROWS_OF_EARLIER = """
WITH own AS (
    SELECT
        headline_id,
        text_id,
        label,
        row_number() OVER (PARTITION BY text_id, label ORDER BY snapshot_headlines.position) AS occurrence,
        count(*) OVER (PARTITION BY text_id, label) AS occurrences
    FROM sources
    JOIN snapshot_headlines USING (snapshot_id)
    JOIN headlines USING (headline_id)
    WHERE sources.ingest_id = $ingest_id
),
read AS (
    SELECT
        rows.* EXCLUDE (headline_id, place),
        place,
        accepted.text_id,
        accepted.label,
        row_number() OVER (PARTITION BY accepted.text_id, accepted.label ORDER BY place) AS occurrence
    FROM (SELECT *, row_number() OVER () AS place FROM rows) AS rows
    JOIN accepted USING (headline_id)
)
SELECT own.headline_id, read.* EXCLUDE (text_id, label, occurrence, place)
FROM read
JOIN own
    ON own.text_id = read.text_id
    AND own.label = read.label
    AND own.occurrence = least(read.occurrence, own.occurrences)
ORDER BY place
"""
"""The rows of the frame `rows`, each with the headline of the same text and label in an earlier ingestion.

Where that ingestion kept every copy, the second copy has its second headline of this text and label, and so on.
"""


def find_latest(connection: DuckDBPyConnection, ingest_id: str) -> tuple[str, str] | None:
    """The latest ingestion of the same bytes and settings, and its snapshot."""
    found = connection.execute(
        "SELECT ingest_id, snapshot_id FROM sources WHERE $ingest_id IN (ingest_id, again_of)"
        " ORDER BY number DESC LIMIT 1",
        {"ingest_id": ingest_id},
    ).fetchall()
    return found[0] if found else None


def next_ingest_id(connection: DuckDBPyConnection, ingest_id: str) -> str:
    """The id of one more ingestion of the same bytes and settings."""
    [(known,)] = connection.execute(
        "SELECT count(*) FROM sources WHERE $ingest_id IN (ingest_id, again_of)", {"ingest_id": ingest_id}
    ).fetchall()
    return short_hash(f"{ingest_id} {known}", 16)


def save_date_order(connection: DuckDBPyConnection, ingest_id: str, order: DateOrder | None) -> None:
    """Save the order of day and month that a further reading of a known ingestion was given or found."""
    connection.execute("UPDATE sources SET date_order = ? WHERE ingest_id = ?", [order, ingest_id])


def fill_earlier(
    connection: DuckDBPyConnection,
    sha256: str,
    accepted: pd.DataFrame,
    rows: pd.DataFrame,
    order: DateOrder | None = None,
) -> None:
    """Give the rows of a source to each ingestion of the same bytes by a version that kept no rows.

    They replace the rows that an earlier reading gave to it. Rows that it did not accept are left out, and its snapshot
    stays as it is.

    Args:
        connection: One transaction, in which all headlines have the ids of their texts.
        sha256: Hash of the bytes.
        accepted: A `schemas.frames.HeadlineFrame` of these bytes, as they are read now.
        rows: Its `schemas.frames.AcceptedFrame`.
        order: The order of day and month in its dates.
    """
    earlier = connection.execute(
        "SELECT ingest_id FROM sources WHERE sha256 = ? AND extra_columns IS NULL ORDER BY number", [sha256]
    ).fetchall()
    connection.register("accepted", accepted)
    connection.register("rows", rows)
    for (ingest_id,) in earlier:
        its_rows = connection.execute(_ROWS_OF_EARLIER, {"ingest_id": ingest_id}).df()
        save_accepted_rows(connection, ingest_id, its_rows, again=True)
        save_date_order(connection, ingest_id, order)

"""The accepted rows of sources: which headline each became, when it was published, of what and by whom."""

from pathlib import Path

import pandas as pd
from duckdb import DuckDBPyConnection

from storage.named_rows import insert_frame
from storage.warehouse import reading

_OF_HEADLINES = ("published_at", "instrument", "publisher")
"""Columns that headlines have from their rows."""


def save_accepted_rows(
    connection: DuckDBPyConnection, ingest_id: str, rows: pd.DataFrame, *, again: bool = False
) -> None:
    """Save the rows of an ingestion, and the times, instruments and publishers that their headlines lack so far.

    Args:
        connection: One transaction in which the headlines are saved.
        ingest_id: The ingestion.
        rows: A `schemas.frames.AcceptedFrame`.
        again: Replace the known rows of the ingestion, and what their headlines have from them.
    """
    if again:
        connection.execute("DELETE FROM ledger.accepted_rows WHERE ingest_id = ?", [ingest_id])
    insert_frame(connection, "ledger.accepted_rows", rows, ingest_id=ingest_id)
    fill_headlines(connection, ingest_id, again=again)


def load_times(warehouse: Path, ingest_id: str) -> pd.Series | None:
    """The earliest time of publication, UTC, of each headline in a source's rows, by the headline's id.

    None where the warehouse does not know the rows, for example because an older version ingested the source.
    """
    with reading(warehouse) as connection:
        frame = connection.execute(
            "SELECT headline_id, min(published_at) AS published_at FROM ledger.accepted_rows WHERE ingest_id = ?"
            " GROUP BY headline_id",
            [ingest_id],
        ).df()
    return frame.dropna().set_index("headline_id")["published_at"] if len(frame) else None


def fill_headlines(connection: DuckDBPyConnection, ingest_id: str, *, again: bool) -> None:
    """Give headlines the first value of each column in the saved rows of an ingestion.

    Args:
        connection: One transaction.
        ingest_id: The ingestion.
        again: Also where they have a value, from an earlier reading.
    """
    known = ", ".join(f"count({name})" for name in _OF_HEADLINES)
    [counts] = connection.execute(
        f"SELECT {known} FROM ledger.accepted_rows WHERE ingest_id = ?",  # noqa: S608 (our own names)
        [ingest_id],
    ).fetchall()
    columns = [name for name, number in zip(_OF_HEADLINES, counts, strict=True) if number]
    if not columns:
        return
    firsts = ", ".join(f"min_by({name}, (source, row_number)) AS {name}" for name in columns)
    chosen = {
        name: f"first.{name}, headlines.{name}" if again else f"headlines.{name}, first.{name}" for name in columns
    }
    filled = ", ".join(f"{name} = coalesce({order})" for name, order in chosen.items())
    is_new = " OR ".join(f"headlines.{name} IS DISTINCT FROM coalesce({order})" for name, order in chosen.items())
    connection.execute(
        f"UPDATE headlines SET {filled} FROM (SELECT headline_id, {firsts} FROM ledger.accepted_rows"  # noqa: S608
        " WHERE ingest_id = $ingest_id GROUP BY headline_id) AS first"
        f" WHERE headlines.headline_id = first.headline_id AND ({is_new})",
        {"ingest_id": ingest_id},
    )

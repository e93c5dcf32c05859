"""Visits: which data a place held each time when it was read, and the settings that were given for it."""

from datetime import datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from storage.order import next_number
from storage.warehouse import reading, utc_now, writing

_LATEST_VISIT = (
    "FROM source_visits JOIN sources USING (ingest_id) WHERE source_visits.location = ?"
    " ORDER BY source_visits.number DESC LIMIT 1"
)


def record_visit(warehouse: Path, location: str, ingest_id: str, settings: str) -> None:
    """Record that a place holds the data of a known ingestion, and the settings given for it; see `SourceRecord`.

    Nothing changes if the latest visit of the place recorded the same.
    """
    with reading(warehouse) as connection:
        if is_last_visit(connection, location, ingest_id, settings):
            return
    with writing(warehouse) as connection:
        if not is_last_visit(connection, location, ingest_id, settings):  # another process may have been here since
            save_visit(connection, location, ingest_id, settings, utc_now())


def save_visit(connection: DuckDBPyConnection, location: str, ingest_id: str, settings: str, met_at: datetime) -> None:
    """Save a visit of a place."""
    connection.execute(
        "INSERT INTO source_visits (location, ingest_id, settings, met_at, number) VALUES (?, ?, ?, ?, ?)",
        [location, ingest_id, settings, met_at, next_number(connection, "source_visits")],
    )


def is_last_visit(connection: DuckDBPyConnection, location: str, ingest_id: str, settings: str) -> bool:
    """Whether the latest visit of a place found this ingestion with these settings."""
    latest: list[tuple[str, str]] = connection.execute(
        f"SELECT ingest_id, source_visits.settings {_LATEST_VISIT}", [location]
    ).fetchall()
    return latest == [(ingest_id, settings)]

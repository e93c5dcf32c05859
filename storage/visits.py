"""Visits: which data a place held each time when it was read, and the settings that were given for it."""

import json
from datetime import datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from storage.accepted_rows import fill_headlines
from storage.order import next_number
from storage.warehouse import reading, utc_now, writing

_DATING_SETTINGS = ("published_at_column", "timezone", "date_order", "instrument_column", "publisher_column")
"""Settings that decide which times, instruments and publishers headlines have."""


def record_visit(warehouse: Path, location: str, ingest_id: str, settings: str) -> None:
    """Record that a place holds the data of a known ingestion, and the settings given for it; see `SourceRecord`.

    Nothing changes if the latest visit of the place recorded the same. Where it was read with other settings of dates
    in between, its headlines get the times of this reading back.
    """
    with reading(warehouse) as connection:
        if is_last_visit(connection, location, ingest_id, settings):
            return
    with writing(warehouse) as connection:
        if not is_last_visit(connection, location, ingest_id, settings):  # another process may have been here since
            [(sha256,)] = connection.execute("SELECT sha256 FROM sources WHERE ingest_id = ?", [ingest_id]).fetchall()
            if is_read_otherwise(connection, location, sha256, settings):
                fill_headlines(connection, ingest_id, again=True)
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
        "SELECT ingest_id, settings FROM source_visits WHERE location = ? ORDER BY number DESC LIMIT 1", [location]
    ).fetchall()
    return latest == [(ingest_id, settings)]


def is_read_otherwise(connection: DuckDBPyConnection, location: str, sha256: str, settings: str) -> bool:
    """Whether the latest visit of a place, or of these bytes elsewhere, had other settings of dates and instruments.

    Args:
        connection: A transaction.
        location: The place.
        sha256: Hash of the bytes.
        settings: The settings that are given for the place now, as JSON.
    """
    latest = connection.execute(
        "SELECT source_visits.settings FROM source_visits JOIN sources USING (ingest_id)"
        " WHERE source_visits.location = ? OR sha256 = ? ORDER BY source_visits.number DESC LIMIT 1",
        [location, sha256],
    ).fetchall()
    return any(before and _of_headlines(before) != _of_headlines(settings) for (before,) in latest)


def _of_headlines(settings: str) -> list[str | None]:
    given = json.loads(settings)
    return [given.get(name) for name in _DATING_SETTINGS]

"""The places of the sources that the warehouse knows, and how each was read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storage.migrations import is_up_to_date
from storage.read_again import find_latest
from storage.warehouse import reading


def load_locations(warehouse: Path) -> list[str]:
    """The paths of all sources that were ingested or scored; empty for a warehouse of an older version.

    Raises:
        InputError: There is no warehouse, or it cannot be used.
        WarehouseLockedError: Another process held it.
    """
    with reading(warehouse) as connection:
        if not is_up_to_date(connection):
            return []
        rows = connection.execute(
            "SELECT location FROM source_visits UNION SELECT location FROM scorings ORDER BY location"
        ).fetchall()
    return [location for (location,) in rows if location.startswith("/")]


def find_ingestion(warehouse: Path, ingest_id: str, earlier: Sequence[str] = ()) -> str | None:
    """The latest ingestion of the same bytes and settings; None where it is not known, or the warehouse is older.

    Args:
        warehouse: The DuckDB file.
        ingest_id: The id of these bytes and settings.
        earlier: Their ids in earlier versions; the latest ingestion with one counts where `ingest_id` is unknown.
    """
    with reading(warehouse) as connection:
        if not is_up_to_date(connection):
            return None
        if known := find_latest(connection, ingest_id):
            return known[0]
        found = connection.execute(
            "SELECT ingest_id FROM sources WHERE list_contains(?, ingest_id) ORDER BY number DESC LIMIT 1",
            [list(earlier)],
        ).fetchone()
    return found[0] if found else None


def load_visit_settings(warehouse: Path, location: str) -> dict[str, Any]:
    """The settings that were given for a place at its last visit; empty where none were, or by an older version.

    Raises:
        InputError: There is no warehouse, or it cannot be used.
        WarehouseLockedError: Another process held it.
    """
    with reading(warehouse) as connection:
        if not is_up_to_date(connection):
            return {}
        found = connection.execute(
            "SELECT settings FROM source_visits WHERE location = ? ORDER BY number DESC LIMIT 1", [location]
        ).fetchone()
    settings: dict[str, Any] = json.loads(found[0]) if found and found[0] else {}
    return settings

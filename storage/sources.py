"""The places of the sources that the warehouse knows, and how each was read."""

import json
from pathlib import Path
from typing import Any

from storage.warehouse import is_up_to_date, reading


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


def load_visit_settings(warehouse: Path, location: str) -> dict[str, Any]:
    """What was said of a place when it was last visited; empty where nothing was, or an older version visited.

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

"""The paths on this machine of the sources that the warehouse knows."""

from pathlib import Path

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

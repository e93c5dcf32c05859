"""The other columns of a source, such as an id: kept beside headlines, and passed through a scoring to its answers."""

import json
import math
from collections.abc import Container, Mapping, Sequence
from datetime import date, time
from typing import Any

from ingestion.cells import Uncomputed

Plain = str | int | float | bool | None
OtherColumns = Mapping[int, str]
"""The place of each other column in a row, and its name, which no other one has."""


def name_others(names: Sequence[str], read: Container[int]) -> dict[int, str]:
    """Name the columns that are not read: as the table does, by number without a name, numbered where names repeat.

    Args:
        names: The names of all columns.
        read: The places of the columns that are read.
    """
    named: dict[int, str] = {}
    known: set[str] = set()
    for place, name in enumerate(names):
        if place not in read:
            own = wanted = name.strip() or f"column_{place + 1}"
            number = 1
            while own.casefold() in known:
                number += 1
                own = f"{wanted}_{number}"
            known.add(own.casefold())
            named[place] = own
    return named


def take_others(
    cells: Sequence[Any] | Mapping[int, Any], others: OtherColumns, *, flat: bool = True
) -> dict[str, Any] | None:
    """The cells of the other columns, which are given by their places, by name; None where there are none.

    Nested cells become texts if `flat`, else they stay what JSON can say.
    """
    if not others:
        return None
    take = plain_cell if flat else json_cell
    return {name: take(cells[place]) for place, name in others.items()}


def json_cell(cell: Any) -> Any:
    """A cell as JSON can say it, lists and objects as such."""
    if isinstance(cell, dict):
        return {str(plain_cell(key)): json_cell(value) for key, value in cell.items()}
    return [json_cell(value) for value in cell] if isinstance(cell, list | tuple) else plain_cell(cell)


def plain_cell(cell: Any) -> Plain:
    """A cell as JSON can say it: dates as ISO 8601 has them, lists and objects as JSON, no number as nothing."""
    if cell is None or isinstance(cell, bool | int):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, Uncomputed):
        return None
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, list | dict):
        cell = json.dumps(cell, ensure_ascii=False, default=str)
    return str(cell).encode("utf-8", "backslashreplace").decode()

"""The other columns of a source, such as an id: stored with headlines, and copied to the answers of a scoring."""

import json
import math
from collections.abc import Container, Mapping, Sequence
from datetime import date, time
from typing import Any

from ingestion.cells import Uncomputed

MOST_LEVELS = 100
"""Levels of lists and objects that are kept as such; Python and other programs that read JSON have a limit."""
Plain = str | int | float | bool | None
OtherColumns = Mapping[int, str]
"""The unique name of each other column, by its place in a row."""


def name_others(names: Sequence[str], read: Container[int]) -> dict[int, str]:
    """Name the columns that are not read: as in the table, by number if nameless, numbered if names repeat.

    Args:
        names: The names of all columns.
        read: The places of the columns that are read.
    """
    named: dict[int, str] = {}
    known: set[str] = set()
    for place, name in enumerate(names):
        if place not in read:
            unique = wanted = str(plain_cell(name.strip())) or f"column_{place + 1}"
            number = 1
            while unique.casefold() in known:
                number += 1
                unique = f"{wanted}_{number}"
            known.add(unique.casefold())
            named[place] = unique
    return named


def take_others(
    cells: Sequence[Any] | Mapping[int, Any], others: OtherColumns, *, flat: bool = True
) -> dict[str, Any] | None:
    """The cells of the other columns by name; None if there are no other columns.

    `cells` are given by their places. Nested cells become texts if `flat`, else JSON values.
    """
    if not others:
        return None
    take = plain_cell if flat else json_cell
    return {name: take(cells[place]) for place, name in others.items()}


def json_cell(cell: Any, levels: int = MOST_LEVELS) -> Any:
    """A cell as a JSON value; lists and objects stay nested, and become a text below the last level."""
    if levels and isinstance(cell, dict):
        return {str(plain_cell(key)): json_cell(value, levels - 1) for key, value in cell.items()}
    if levels and isinstance(cell, list | tuple):
        return [json_cell(value, levels - 1) for value in cell]
    return plain_cell(cell)


def plain_cell(cell: Any) -> Plain:
    """A cell as a JSON scalar: dates in ISO 8601, lists and objects as JSON text, NaN and infinity as null.

    A list or an object that is nested too deeply for Python to write becomes the text `nested too deeply`.
    """
    if cell is None or isinstance(cell, bool | int):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, Uncomputed):
        return None
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, list | dict):
        try:
            cell = json.dumps(cell, ensure_ascii=False, default=str)
        except RecursionError:
            cell = "nested too deeply"
    return str(cell).encode("utf-8", "backslashreplace").decode()

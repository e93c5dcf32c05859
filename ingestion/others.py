"""The columns of a source besides the text, such as date, ticker or id: they pass through a scoring to its answers."""

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


def take_others(cells: Sequence[Any] | Mapping[int, Any], others: OtherColumns) -> dict[str, Plain] | None:
    """The cells of the other columns, which are given by their places, by name; None where there are none."""
    if not others:
        return None
    return {name: plain_cell(cells[place]) for place, name in others.items()}


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

"""Rows of a table in groups, as charts draw them."""

import math
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from schemas.report import Table

Record = dict[str, Any]


def group_by(table: Table, name: str) -> list[tuple[Any, list[Record]]]:
    """Consecutive rows with the same value in a column, with that value."""
    return [(value, list(rows)) for value, rows in groupby(table.records(), key=lambda row: row[name])]


def to_numbers(values: Iterable[float | None]) -> list[float]:
    """Values to draw; nothing is drawn where there is none."""
    return [math.nan if value is None else value for value in values]


def errors(rows: Iterable[Record], name: str) -> list[list[float]]:
    """How far the intervals of a figure reach below and above it, as error bars are drawn."""
    bounds = [(row[name], row[f"{name}_low"], row[f"{name}_high"]) for row in rows]
    known = [(value, *(value if end is None else end for end in ends)) for value, *ends in bounds]
    return [[value - low for value, low, _ in known], [high - value for value, _, high in known]]

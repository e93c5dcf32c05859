"""Which of the first rows of a table names its columns: the first one, or one below title rows."""

from collections.abc import Sequence
from typing import Any

from ingestion.columns import Table
from schemas.source import DataSettings

MOST_TITLE_ROWS = 20
"""Most rows above a header."""


def find_header(rows: Sequence[Sequence[Any]], settings: DataSettings) -> int | None:
    """The place of the row that names the columns that are needed; None if no row does.

    A row further down is a header if every row above it has fewer cells that are not blank, like a title. If the
    settings name the row of the header, only the first row counts.

    Args:
        rows: The first rows, each with its cells, blank rows left out; from the row on that the settings name.
        settings: Which columns are named, and the label words.
    """
    most = 1 if settings.header_row else 1 + MOST_TITLE_ROWS
    longest = 0
    for place, row in enumerate(rows[:most]):
        filled = sum(cell is not None and str(cell).strip() != "" for cell in row)
        if (place == 0 or filled > max(longest, 1)) and _names_columns(row, rows[place + 1 :], settings):
            return place
        longest = max(longest, filled)
    return None


def name_columns(row: Sequence[Any]) -> list[str]:
    """The names of columns in the cells of a header."""
    return ["" if cell is None else str(cell) for cell in row]


def _names_columns(row: Sequence[Any], rows: Sequence[Sequence[Any]], settings: DataSettings) -> bool:
    names = name_columns(row)
    below = [other for other in rows if len(other) == len(names)]
    return Table(names, below, settings).find_columns() is not None

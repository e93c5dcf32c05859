"""A table on a terminal: which columns have room, how wide each is, and the lines on what was cut."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from schemas.listing import list_some

MOST_ROWS = 40
"""Most rows that a terminal gets."""
LEAST_WIDTH = 12
"""Least width of a column of text; if there is no room for it, the last columns are left out."""
GAP = 2
"""Blanks between two columns."""
MOST_COUNTED = 100_000
"""Most rows that are counted; beyond it the table says `more than`."""
REMEDY = "to get all: --format csv, --output FILE, or | less -S"
"""How to get what a terminal does not show."""


@dataclass(frozen=True)
class Screen:
    """The room on a terminal."""

    width: int
    """Characters in a line."""
    rows: int = MOST_ROWS


def fit_columns(widths: Sequence[int], uncut: Sequence[bool], width: int) -> tuple[int, ...]:
    """Fit columns to a line: the widest texts are cut first; then the last columns are left out.

    Args:
        widths: The full width of each column, in characters.
        uncut: Whether each column is shown whole or not at all, as for numbers and dates.
        width: Characters of the line.

    Returns:
        The width of each column that is shown.
    """
    least = [full if whole else min(full, LEAST_WIDTH) for full, whole in zip(widths, uncut, strict=True)]
    shown = len(widths)
    while shown > 1 and sum(least[:shown]) > width - GAP * (shown - 1):
        shown -= 1
    room, pairs = width - GAP * (shown - 1), list(zip(least, widths, strict=True))[:shown]
    most = max(full for _, full in pairs)
    while most > 1 and sum(max(low, min(full, most)) for low, full in pairs) > room:
        most -= 1
    fitted = [max(low, min(full, most)) for low, full in pairs]
    return tuple(min(column, width) for column in fitted)


def cut(text: str, width: int) -> str:
    """Cut a text to this many characters of a line; an ellipsis ends a text that was cut."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def describe_cuts(
    names: Sequence[str], widths: Sequence[int], fitted: Sequence[int], *, are_rows_cut: bool
) -> list[str]:
    """Describe what a terminal does not show of a table, and how to get it; empty if all is shown.

    Args:
        names: The columns.
        widths: Their full widths.
        fitted: The widths of those that are shown, as returned by `fit_columns`.
        are_rows_cut: Whether there are more rows than are shown.
    """
    narrowed = [name for name, full, width in zip(names, widths, fitted, strict=False) if width < full]
    left_out = names[len(fitted) :]
    lines = [f"cut to fit: {', '.join(narrowed)}"] if narrowed else []
    if left_out:
        lines.append(
            f"left out for lack of room: {len(left_out)} column{'s' * (len(left_out) > 1)}, {list_some(left_out)}"
        )
    return [*lines, REMEDY] if lines or are_rows_cut else []

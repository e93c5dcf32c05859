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


@dataclass(frozen=True)
class Fit:
    """The columns of a table that are shown, by place, and how wide each is."""

    places: tuple[int, ...]
    widths: tuple[int, ...]


def fit_columns(widths: Sequence[int], uncut: Sequence[bool], width: int) -> Fit:
    """Fit columns to a line: the widest texts are cut first; then the last columns are left out.

    Args:
        widths: The full width of each column, in characters.
        uncut: Whether each column is shown whole or not at all, as for numbers and dates.
        width: Characters of the line.
    """
    for shown in range(len(widths), 0, -1):
        room = width - GAP * (shown - 1)
        least = [full if whole else min(full, LEAST_WIDTH) for full, whole in zip(widths, uncut, strict=True)]
        if sum(least[:shown]) <= room or shown == 1:
            break
    full_widths, least_widths = widths[:shown], least[:shown]
    most = max(full_widths)
    pairs = list(zip(least_widths, full_widths, strict=True))
    while most > 1 and sum(max(low, min(full, most)) for low, full in pairs) > room:
        most -= 1
    fitted = [max(low, min(full, most)) for low, full in pairs]
    return Fit(tuple(range(shown)), tuple(min(column, width) for column in fitted))


def cut(text: str, width: int) -> str:
    """Cut a text to this many characters of a line; an ellipsis ends a text that was cut."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def describe_cuts(names: Sequence[str], widths: Sequence[int], fit: Fit, *, are_rows_cut: bool) -> list[str]:
    """Describe what a terminal does not show of a table, and how to get it; empty if all is shown."""
    shown = zip(fit.places, fit.widths, strict=True)
    narrowed = [names[place] for place, width in shown if width < widths[place]]
    left_out = names[len(fit.places) :]
    lines = [f"cut to fit: {', '.join(narrowed)}"] if narrowed else []
    if left_out:
        lines.append(
            f"left out for lack of room: {len(left_out)} column{'s' * (len(left_out) > 1)}, {list_some(left_out)}"
        )
    return [*lines, REMEDY] if lines or are_rows_cut else []

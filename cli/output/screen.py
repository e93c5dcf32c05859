"""A table on a terminal: which columns have room, how wide each is, and what is said of what has none."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from schemas.listing import list_some

MOST_ROWS = 40
"""Rows that a terminal gets."""
LEAST_WIDTH = 12
"""Characters that a column of text keeps; where they have no room, the last columns are left out."""
GAP = 2
"""Blanks between two columns."""
MOST_COUNTED = 100_000
"""Rows that are counted; of more it is said that there are more."""
REMEDY = "to get all: --format csv, --output FILE, or | less -S"
"""How to get what a terminal does not show."""


@dataclass(frozen=True)
class Screen:
    """What a terminal has room for."""

    width: int
    """Characters of a line."""
    rows: int = MOST_ROWS


@dataclass(frozen=True)
class Fit:
    """The columns of a table that are shown, by place, and how wide each is."""

    places: tuple[int, ...]
    widths: tuple[int, ...]


def fit_columns(widths: Sequence[int], uncut: Sequence[bool], width: int) -> Fit:
    """Fit columns to a line: the widest texts are cut first; then the last columns are left out.

    Args:
        widths: What each column takes whole, in characters.
        uncut: Whether a column is shown whole or not at all, as numbers and dates are.
        width: Characters of the line.
    """
    for shown in range(len(widths), 0, -1):
        room = width - GAP * (shown - 1)
        least = [own if whole else min(own, LEAST_WIDTH) for own, whole in zip(widths, uncut, strict=True)]
        if sum(least[:shown]) <= room or shown == 1:
            break
    own, kept = widths[:shown], least[:shown]
    most = max(own)
    while most > 1 and sum(max(low, min(each, most)) for low, each in zip(kept, own, strict=True)) > room:
        most -= 1
    fitted = [max(low, min(each, most)) for low, each in zip(kept, own, strict=True)]
    return Fit(tuple(range(shown)), tuple(min(each, width) for each in fitted))


def cut(text: str, width: int) -> str:
    """A text that takes no more than this many characters of a line; an ellipsis ends one that was cut."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def describe_cuts(names: Sequence[str], widths: Sequence[int], fit: Fit, *, are_rows_cut: bool) -> list[str]:
    """What a terminal does not show of a table, and how to get it; nothing where all is shown."""
    shown = zip(fit.places, fit.widths, strict=True)
    narrowed = [names[place] for place, width in shown if width < widths[place]]
    left_out = names[len(fit.places) :]
    told = [f"cut to fit: {', '.join(narrowed)}"] if narrowed else []
    if left_out:
        told.append(
            f"left out for want of room: {len(left_out)} column{'s' * (len(left_out) > 1)}, {list_some(left_out)}"
        )
    return [*told, REMEDY] if told or are_rows_cut else []

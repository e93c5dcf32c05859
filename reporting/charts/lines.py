"""Draws lines that can be distinguished: those that coincide are drawn as one line with all their names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes

from reporting.text import join_names
from reporting.theme import INK, colour, marker

CLOSE = 0.01
"""Lines of shares that stay this close to each other everywhere are drawn as one."""
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (8, 2, 2, 2)), (0, (4, 1)), (0, (1, 1)))
WIDEST, NARROWEST = 3.4, 1.4


@dataclass(frozen=True)
class Line:
    """A line with the names of all that it shows."""

    names: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    is_base: bool = False
    """Whether it is the untouched base's, which has the same colour in every chart."""


def merge_lines(lines: Iterable[Line], close: float = CLOSE) -> list[Line]:
    """Merge lines that would hide each other: a line joins an earlier one if it is close to it at the same places."""
    merged: list[Line] = []
    for line in lines:
        place = next((place for place, other in enumerate(merged) if _coincide(line, other, close)), None)
        if place is None:
            merged.append(line)
        else:
            other = merged[place]
            merged[place] = replace(other, names=(*other.names, *line.names), is_base=other.is_base or line.is_base)
    return merged


def draw_lines(axes: Axes, lines: Sequence[Line]) -> None:
    """Draw each line in its own colour, dashes and marks, the later ones thinner, so that none hides another."""
    for number, line in enumerate(lines):
        step = max(1, len(line.x) // 8)
        axes.plot(
            line.x,
            line.y,
            color=INK if line.is_base else colour(number),
            linestyle=DASHES[number % len(DASHES)],
            linewidth=width(number, len(lines)),
            marker=marker(number),
            markevery=(number % step, step),
            label=join_names(line.names),
        )


def width(number: int, of: int) -> float:
    """The width of the n-th line, from 0, in points."""
    return WIDEST - (WIDEST - NARROWEST) * number / max(of - 1, 1)


def _coincide(line: Line, other: Line, close: float) -> bool:
    return line.x == other.x and all(
        abs(value - other_value) <= close for value, other_value in zip(line.y, other.y, strict=True)
    )

"""The frame of a chart: its size on a wide page and on a phone, its title, its axes and its legend."""

from collections.abc import Sequence
from math import ceil, floor, log10
from textwrap import fill
from typing import Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

TITLE_SIZE, LEGEND_SIZE = 10.5, 9.0
CHARACTER = 0.078
"""Inches that a character of the legend takes, on average."""
SHORT = 0.6
"""Powers of ten in view below which a log scale has a number at every tick."""
HANDLE = 0.55
"""Inches of a legend's line and its margins."""


class Layout(NamedTuple):
    """How a chart is laid out: `wide` for a page and for print, `narrow` for a phone."""

    name: Literal["wide", "narrow"]
    width: float
    """Inches."""
    height: float
    """Inches of a chart with one pair of axes and no legend."""
    characters: int
    """Characters in a line of a title or a legend's entry."""

    @property
    def is_narrow(self) -> bool:
        """Whether it is for a phone."""
        return self.name == "narrow"


WIDE = Layout("wide", 9.0, 3.4, 100)
NARROW = Layout("narrow", 3.7, 2.9, 42)


def start(layout: Layout, title: str, x: str, y: str = "", height: float | None = None) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, and its title above them at the left."""
    figure = Figure(figsize=(layout.width, height or layout.height), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x, ylabel=y)
    set_title(figure, title, layout)
    return figure, axes


def set_title(figure: Figure, title: str, layout: Layout) -> None:
    """Write the title over the whole figure, broken where the layout is narrow."""
    figure.suptitle(fill(title, layout.characters), x=0.01, ha="left", fontsize=TITLE_SIZE)


def set_legend(figure: Figure, axes: Axes, layout: Layout) -> None:
    """Write the legend below the axes, in as many columns as fit; the figure grows by its height."""
    handles, names = axes.get_legend_handles_labels()
    texts = [fill(name, layout.characters) for name in names]
    longest = max((len(line) for text in texts for line in text.splitlines()), default=0)
    columns = max(1, min(len(texts), int(layout.width / (longest * CHARACTER + HANDLE))))
    lines = sum(max(len(text.splitlines()) for text in row) for row in _rows(texts, columns))
    figure.set_figheight(figure.get_figheight() + 0.2 * lines)
    figure.legend(handles, texts, loc="outside lower left", ncols=columns, fontsize=LEGEND_SIZE, handlelength=2.6)


def scale_logarithmic(axes: Axes, name: Literal["x", "y"]) -> None:
    """A log scale whose ticks are plain numbers: at powers of ten, and between them if fewer than two are in view.

    Between them are 2, 3 and 5, or all digits in a view so short that they do not touch.
    """
    axes.set(**{f"{name}scale": "log"})
    axis = getattr(axes, f"{name}axis")

    def label_between(value: float, _: int | None) -> str:
        low, high = map(log10, axis.get_view_interval())
        is_shown = high - low < SHORT or round(value / 10 ** floor(log10(value))) in {2, 3, 5}
        return f"{value:g}" if is_shown and floor(high) - ceil(low) < 1 else ""

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(FuncFormatter(label_between))


def _rows(texts: Sequence[str], columns: int) -> list[Sequence[str]]:
    return [texts[first : first + columns] for first in range(0, len(texts), columns)]

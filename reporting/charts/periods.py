"""Accuracy by the time of publication: a point a period, on test and on what was scored since."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.charts.layout import Layout, set_legend, start
from reporting.charts.lines import DASHES
from reporting.charts.overview import COLOURS, MARKS
from reporting.charts.tables import Record, errors
from reporting.theme import MUTED, PAPER, drawing

DODGE, MOST_DODGE = 0.09, 0.02
"""Share of a period by which the points of a line are drawn beside those of the next; and at most, of all periods."""
MARGIN = 0.03
"""Of accuracy, below and above, so that no mark is cut."""
MOST_TICKS = {"wide": 16, "narrow": 6}


@dataclass(frozen=True)
class PeriodLine:
    """A line of the chart: a cell's rows of the table `periods`, in the order of time."""

    name: str
    rows: Sequence[Record]
    is_fresh: bool = False
    """Whether they cover headlines that the cell has scored since its study, which are drawn hollow."""


def draw_periods(lines: Sequence[PeriodLine], layout: Layout, title: str, guessing: float) -> Figure:
    """Accuracy by period with 95 % intervals, one line per cell, side by side; and that of guessing.

    Args:
        lines: At least one, all with the same kind of period.
        layout: Wide or narrow.
        title: The title; it names the period.
        guessing: Accuracy of guessing.
    """
    rows = [row for line in lines for row in line.rows]
    begins = sorted({row["begins"] for row in rows})
    places = [float(each.toordinal()) for each in begins]
    closest = min((after - before for before, after in pairwise(places)), default=0.0)
    gap = min(closest * DODGE, (places[-1] - places[0]) * MOST_DODGE)
    with drawing(title):
        figure, axes = start(layout, title, "published", "accuracy")
        axes.axhline(guessing, color=MUTED, linestyle=":", linewidth=1.2, label="guessing")
        for number, line in enumerate(lines):
            _draw(axes, line, gap * (number - (len(lines) - 1) / 2), number)
        ticks = _thin(places, MOST_TICKS[layout.name])
        axes.set_xticks(ticks, [_name(begins[places.index(each)], rows[0]["period"]) for each in ticks])
        lowest = min(*(row["accuracy_low"] for row in rows), guessing)
        axes.set_ylim(math.floor(lowest * 10) / 10 - MARGIN, 1 + MARGIN)
        set_legend(figure, axes, layout)
    return figure


def _draw(axes: Axes, line: PeriodLine, aside: float, number: int) -> None:
    kind = line.rows[0]["kind"]
    style: dict[str, Any] = {"color": COLOURS[kind], "marker": MARKS[kind], "linestyle": DASHES[number % len(DASHES)]}
    if line.is_fresh:
        style |= {"markerfacecolor": PAPER, "markeredgewidth": 1.6, "markersize": 7, "linestyle": ":"}
    axes.errorbar(
        [row["begins"].toordinal() + aside for row in line.rows],
        [row["accuracy"] for row in line.rows],
        yerr=errors(line.rows, "accuracy"),
        linewidth=1.6,
        elinewidth=1.0,
        capsize=2.5,
        label=line.name,
        **style,
    )


def _thin(places: Sequence[float], most: int) -> list[float]:
    """The places that are far enough apart for their names not to touch."""
    least = (places[-1] - places[0]) / most * 0.9  # months and quarters differ in length
    kept = [places[0]]
    for place in places[1:]:
        if place - kept[-1] >= least:
            kept.append(place)
    return kept


def _name(begins: date, period: str) -> str:
    """A period as the axis names it, by its first day."""
    day = {"week": f"{begins.day} {begins:%b}", "month": f"{begins:%b}", "quarter": f"Q{(begins.month + 2) // 3}"}
    return "\n".join([*([day[period]] if period in day else []), f"{begins.year}"])

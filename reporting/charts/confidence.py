"""The reliability diagram: how often answers of a given confidence are right, with intervals."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.charts.layout import Layout, set_title
from reporting.charts.tables import Record, errors, group_by
from reporting.text import format_temperature
from reporting.theme import MUTED, colour, drawing, marker
from schemas.report import Table

FEW = 30
"""Headlines of a bin below which it is drawn hollow and not connected by a line."""
BINS, COUNTS_AT = 10, 1.11
"""Bins of confidence, and the height at which the number of their headlines stands: above all that is drawn."""
ACROSS = 3
"""Panels in a row of a wide chart."""


def draw_calibration(table: Table, layout: Layout, title: str) -> Figure:
    """A panel for each temperature: on the diagonal, confidence equals accuracy."""
    groups = group_by(table, "temperature")
    columns = 1 if layout.is_narrow else min(len(groups), ACROSS)
    rows = -(-len(groups) // columns)
    height = (2.5 if layout.is_narrow else 3.0) * rows + 0.4
    with drawing(title):
        figure = Figure(figsize=(layout.width, height), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        set_title(figure, title, layout)
        for number, panel in enumerate(panels.flat):
            if number < len(groups):
                temperature, bins = groups[number]
                _draw_panel(panel, bins, number)
                panel.set_title(format_temperature(temperature), fontsize=9.5)
                panel.tick_params(labelbottom=number + columns >= len(groups))
            else:
                panel.set_visible(False)
        figure.supxlabel("mean confidence", fontsize=10)
        figure.supylabel("share that is right", fontsize=10)
    return figure


def _draw_panel(axes: Axes, bins: list[Record], number: int) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1.2)
    many = [row["n"] >= FEW for row in bins]
    for row, is_many in zip(bins, many, strict=True):
        axes.errorbar(
            [row["mean_confidence"]],
            [row["accuracy"]],
            yerr=errors([row], "accuracy"),
            color=colour(number),
            marker=marker(number),
            markersize=6,
            markerfacecolor=colour(number) if is_many else "none",
            elinewidth=1.8 if is_many else 0.9,
            capsize=2.5,
        )
        middle = row["confidence_low"] + 0.5 / BINS
        axes.text(middle, COUNTS_AT, _shorten(row["n"]), ha="center", va="center", fontsize=8, color=MUTED)
    for before, after in zip(range(len(bins)), range(1, len(bins)), strict=False):
        if many[before] and many[after]:
            ends = (bins[before], bins[after])
            axes.plot([row["mean_confidence"] for row in ends], [row["accuracy"] for row in ends], color=colour(number))
    axes.set(xlim=(0, 1.05), ylim=(-0.04, 1.18), yticks=[place / 5 for place in range(6)])


def _shorten(n: int) -> str:
    """A number in four characters at most, so that those of neighbours do not touch."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if n >= 0.9995 * size:
            return f"{n / size:.1f}{unit}" if n < 9.95 * size else f"{n / size:.0f}{unit}"
    return f"{n}"

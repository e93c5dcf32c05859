"""Charts of lines: accuracy over temperature and coverage, a measure by epochs, the training loss."""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reporting.charts.layout import Layout, scale_logarithmic, set_legend, start
from reporting.charts.lines import DASHES, Line, draw_lines, merge_lines, width
from reporting.charts.tables import errors, group_by, to_numbers
from reporting.text import format_temperature, join_names, visible
from reporting.theme import GRID, INK, MUTED, colour, drawing, marker
from schemas.report import Table

MOST_SERIES = 6
DODGE = 0.03
"""Share of the distance between two epochs by which the points of a temperature are drawn beside those of the next."""


def draw_epochs(epochs: Table, published: Table | None, measure: str, layout: Layout, title: str) -> Figure:
    """A measure by epochs with 95 % intervals, one line per temperature, side by side; the published best as a star."""
    with drawing(title):
        figure, axes = start(layout, title, "epochs", "macro-F1" if measure == "macro_f1" else measure)
        groups = group_by(epochs, "temperature")
        gap = _closest(epochs.column("epochs")) * DODGE
        for number, (temperature, rows) in enumerate(groups):
            aside = gap * (number - (len(groups) - 1) / 2)
            axes.errorbar(
                [row["epochs"] + aside for row in rows],
                [row[measure] for row in rows],
                yerr=errors(rows, measure),
                color=colour(number),
                marker=marker(number),
                linestyle=DASHES[number % len(DASHES)],
                linewidth=1.6,
                capsize=2.5,
                label=format_temperature(temperature),
            )
        for row in published.records() if published else []:
            style: dict[str, Any] = {"color": INK, "marker": "*", "markersize": 11, "linestyle": "none"}
            name = f"published best, {format_temperature(row['temperature'])}"
            axes.plot(
                [row["epochs"]],
                [row[measure]],
                label=name,
                **style,
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(0, 1)
        set_legend(figure, axes, layout)
    return figure


def draw_temperatures(lines: Sequence[Line], layout: Layout, title: str, guessing: float) -> Figure:
    """Expected accuracy over the sampling temperature, on a log scale, and that of guessing."""
    with drawing(title):
        figure, axes = start(layout, title, "sampling temperature", "expected accuracy")
        draw_lines(axes, lines)
        axes.axhline(guessing, color=MUTED, linestyle=":", linewidth=1.2, label="guessing")
        scale_logarithmic(axes, "x")
        axes.set_ylim(0, 1)
        set_legend(figure, axes, layout)
    return figure


def draw_coverage(table: Table, layout: Layout, title: str) -> Figure:
    """Accuracy if only the surest answers count, by their share."""
    with drawing(title):
        figure, axes = start(layout, title, "share answered, the surest first", "accuracy")
        lines = [
            Line(
                (format_temperature(temperature),),
                tuple(row["coverage"] for row in rows),
                tuple(row["accuracy"] for row in rows),
            )
            for temperature, rows in group_by(table, "temperature")
        ]
        draw_lines(axes, merge_lines(lines, close=0))
        low = min((row["accuracy"] for row in table.records()), default=0)
        axes.set(xlim=(0, 1.02), ylim=(max(0, low - 0.05), 1.01))
        set_legend(figure, axes, layout)
    return figure


def draw_loss(loss: Table, trainings: Table, first: str, layout: Layout, title: str) -> Figure:
    """Training loss by step, one line per training; a mark ends each cell that shares it.

    Args:
        loss: Mean losses of each training.
        trainings: The cells of each training, with their last step.
        first: The training that always has a colour; when there are many, some are grey.
        layout: Wide or narrow.
        title: The title.
    """
    cells: dict[str, list[dict[str, Any]]] = {}
    for row in trainings.records():
        cells.setdefault(row["training_cell_id"], []).append(row)
    curves = sorted(group_by(loss, "cell_id"), key=lambda curve: curve[0] != first)
    named = curves[:MOST_SERIES]
    with drawing(title):
        figure, axes = start(layout, title, "optimiser step", "loss, nats")
        for _, rows in curves[MOST_SERIES:]:
            axes.plot([row["step"] for row in rows], to_numbers(row["loss"] for row in rows), color=GRID, linewidth=1)
        for number, (cell_id, rows) in enumerate(named):
            name = join_names([visible(cell["cell_name"]) for cell in cells[cell_id]])
            x, y = [row["step"] for row in rows], to_numbers(row["loss"] for row in rows)
            axes.plot(
                x,
                y,
                color=colour(number),
                linestyle=DASHES[number % len(DASHES)],
                linewidth=width(number, len(named)),
                marker=marker(number),
                markersize=7,
                markevery=_find_ends([cell["steps"] for cell in cells[cell_id]], x, y),
                label=name,
            )
        if any(row["loss"] is not None and row["loss"] > 0 for row in loss.records()):
            scale_logarithmic(axes, "y")
        set_legend(figure, axes, layout)
    return figure


def best_lines(table: Table, always: Sequence[str], chosen: str) -> list[Line]:
    """The lines of `draw_temperatures`: cells that are always shown, and the best others, up to the most series.

    Args:
        table: Rows of cell_name, temperature, expected_accuracy, kind and cell_id, a cell's rows together.
        always: Ids of cells that are always shown.
        chosen: The id of the cell whose name says that it is the chosen one.
    """
    lines = [
        (
            cell_id,
            Line(
                (f"{'chosen: ' if cell_id == chosen else ''}{visible(rows[0]['cell_name'])}",),
                tuple(row["temperature"] for row in rows),
                tuple(row["expected_accuracy"] for row in rows),
                is_base=rows[0]["kind"] == "base",
            ),
        )
        for cell_id, rows in group_by(table, "cell_id")
    ]
    lines.sort(key=lambda each: (each[0] not in always and not each[1].is_base, -max(each[1].y)))
    kept = merge_lines(line for _, line in lines)[:MOST_SERIES]
    return sorted(kept, key=lambda line: -max(line.y))


def _find_ends(steps: Sequence[int | None], x: Sequence[float], y: Sequence[float]) -> list[int]:
    """The places of a line where its cells end, or at its last loss, if that is earlier: there it diverged."""
    known = [place for place, value in enumerate(y) if isfinite(value)]
    if not known:
        return []
    last = x[known[-1]]
    ends = {last if step is None else min(step, last) for step in steps}
    return sorted({min(known, key=lambda place: abs(x[place] - end)) for end in ends})


def _closest(values: Sequence[float]) -> float:
    """The smallest distance between two values that differ."""
    places = sorted(set(values))
    return min((after - before for before, after in pairwise(places)), default=1)

"""The charts of a study's report, each drawn from one table."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from reporting.text import visible
from reporting.theme import INK, MUTED, colour, drawing, marker
from schemas.label import LABELS
from schemas.report import Table

Record = dict[str, Any]
WIDE, SQUARE = (6.4, 3.4), (3.2, 3.0)
MOST_SERIES = 6


def draw_epochs(epochs: Table, published: Table | None, measure: str, title: str) -> Figure:
    """A measure by epochs, a line a temperature with its 95 % band; the published best as a mark."""
    with drawing(title):
        figure, axes = _axes(WIDE, "epochs", title)
        for number, (temperature, rows) in enumerate(_by(epochs, "temperature")):
            x = [row["epochs"] for row in rows]
            low, high = (_numbers(row[f"{measure}_{end}"] for row in rows) for end in ("low", "high"))
            axes.fill_between(x, low, high, color=colour(number), alpha=0.16, linewidth=0)
            axes.plot(
                x,
                [row[measure] for row in rows],
                color=colour(number),
                marker=marker(number),
                label=f"T = {temperature:g}",
            )
        for row in published.records() if published else []:
            axes.plot(
                [row["epochs"]],
                [row[measure]],
                color=INK,
                marker="*",
                markersize=11,
                linestyle="none",
                label="published best",
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(0, 1)
        _legend(axes)
    return figure


def draw_temperatures(table: Table, title: str) -> Figure:
    """Expected accuracy over the sampling temperature, on a log scale: the base and the best fine-tunes."""
    with drawing(title):
        figure, axes = _axes(WIDE, "sampling temperature", title)
        lines = sorted(
            _by(table, "cell_name"),
            key=lambda line: -max(row["expected_accuracy"] for row in line[1]),
        )
        for number, (name, rows) in enumerate(lines[:MOST_SERIES]):
            x, y = [row["temperature"] for row in rows], [row["expected_accuracy"] for row in rows]
            axes.plot(x, y, color=colour(number), marker=marker(number), label=visible(name))
        axes.axhline(1 / len(LABELS), color=MUTED, linestyle=":", linewidth=1.2, label="guessing")
        _logarithmic(axes, "x")
        axes.set_ylim(0, 1)
        _legend(axes)
    return figure


def draw_confusion(rows: Sequence[Record], title: str) -> Figure:
    """How often each label got which answer, and the share of the label's headlines."""
    with drawing(title):
        figure = Figure(figsize=SQUARE, layout="constrained")
        axes = figure.subplots()
        names = [label.value for label in LABELS]
        for row in rows:
            x, y = names.index(row["predicted"]), names.index(row["label"])
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colour(0), alpha=0.75 * row["share"], linewidth=0))
            axes.text(x + 0.5, y + 0.5, f"{row['n']}\n{row['share']:.0%}", ha="center", va="center")
        axes.set(xlim=(0, len(names)), ylim=(len(names), 0), xlabel="answer", ylabel="label", title=title)
        ticks = [place + 0.5 for place in range(len(names))]
        axes.set_xticks(ticks, names)
        axes.set_yticks(ticks, names, rotation=90, va="center")
        axes.grid(visible=False)
        axes.tick_params(length=0)
    return figure


def draw_calibration(table: Table, title: str) -> Figure:
    """How often answers of some confidence are right: on the diagonal where confidence can be taken at its word."""
    with drawing(title):
        figure, axes = _axes(WIDE, "mean confidence", title, "share that is right")
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1.2, label="calibrated")
        for number, (temperature, rows) in enumerate(_by(table, "temperature")):
            sizes = [12 + 160 * row["n"] / sum(each["n"] for each in rows) for row in rows]
            x, y = [row["mean_confidence"] for row in rows], [row["accuracy"] for row in rows]
            axes.plot(x, y, color=colour(number), linewidth=1)
            axes.scatter(
                x, y, s=sizes, color=colour(number), marker=marker(number), label=f"T = {temperature:g}", alpha=0.8
            )
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
        _legend(axes)
    return figure


def draw_coverage(table: Table, title: str) -> Figure:
    """Accuracy if only the surest answers count, by their share."""
    with drawing(title):
        figure, axes = _axes(WIDE, "share answered, the surest first", title, "accuracy")
        for number, (temperature, rows) in enumerate(_by(table, "temperature")):
            x, y = [row["coverage"] for row in rows], [row["accuracy"] for row in rows]
            axes.plot(x, y, color=colour(number), marker=marker(number), markevery=4, label=f"T = {temperature:g}")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
        _legend(axes)
    return figure


def draw_loss(table: Table, title: str) -> Figure:
    """Training loss by step, a line a cell; where cells share a training they lie on one another."""
    with drawing(title):
        figure, axes = _axes(WIDE, "optimiser step", title, "loss, nats a token")
        for number, (name, rows) in enumerate(_by(table, "cell_name")):
            x, y = [row["step"] for row in rows], [float("nan") if row["loss"] is None else row["loss"] for row in rows]
            style = ("-", "--", ":")[number // MOST_SERIES % 3]
            axes.plot(x, y, color=colour(number), linestyle=style, linewidth=1.2, label=visible(name))
        if any(row["loss"] is not None and row["loss"] > 0 for row in table.records()):
            _logarithmic(axes, "y")
        _legend(axes)
    return figure


def _axes(size: tuple[float, float], x: str, title: str, y: str | None = None) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x, title=title, ylabel=y or "")
    axes.title.set_fontsize(11)
    return figure, axes


def _logarithmic(axes: Axes, name: str) -> None:
    """A log scale whose ticks are plain numbers."""
    axes.set(**{f"{name}scale": "log"})
    axis = getattr(axes, f"{name}axis")
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _legend(axes: Axes) -> None:
    """Beside the chart, so that it hides no point."""
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5, handlelength=1.6)


def _by(table: Table, name: str) -> list[tuple[Any, list[Record]]]:
    """Rows that agree in a column, which stand together in the table, by the value that they have there."""
    return [(value, list(rows)) for value, rows in groupby(table.records(), key=lambda row: row[name])]


def _numbers(values: Iterable[float | None]) -> list[float]:
    """Values to draw; nothing is drawn where there is none."""
    return [math.nan if value is None else value for value in values]

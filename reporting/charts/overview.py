"""The overview: each cell and baseline of a study as a dot with its interval, the best first."""

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.charts.layout import Layout, start
from reporting.charts.tables import Record
from reporting.text import visible
from reporting.theme import INK, MUTED, SERIES, drawing
from schemas.report import Role

COLOURS = {"fine-tuned": SERIES[0], "baseline": SERIES[1], "base": INK}
MARKS = {"fine-tuned": "o", "baseline": "D", "base": "s"}
STARRED: tuple[Role, ...] = ("champion", "champion before")
LONGEST_NAME = 56
"""Characters of a name that are drawn."""
SPARSE, DENSE, MANY = 0.27, 0.19, 40
"""Inches of a row, with few rows and with many, and the number from which on rows are many."""
NARROW_ROW, NARROW_LINE = 0.4, 0.14
"""Inches of a row of a narrow chart, and of each line of its name after the first."""
FIGURE = 7
"""Characters that a figure takes at the end of a narrow chart's line."""
FRAME = 0.85
"""Inches of the title and the axis."""


def draw_overview(
    rows: Sequence[Record],
    roles: Mapping[str, Sequence[str]],
    layout: Layout,
    title: str,
    rival: float | None,
    guessing: float,
) -> Figure:
    """Accuracy of every cell with its 95 % interval.

    Args:
        rows: Rows of the table `overview`, in the order in which they are shown.
        roles: The roles that are written beside a cell's dot, by its id.
        layout: Wide or narrow.
        title: The title; it names the temperature.
        rival: Accuracy of the best baseline, where a line is drawn.
        guessing: Accuracy of guessing, where another is.
    """
    lines = max(_name_above(each, roles, layout).count("\n") for each in rows)
    narrow = NARROW_ROW + NARROW_LINE * lines
    row = narrow if layout.is_narrow else SPARSE if len(rows) < MANY else DENSE
    with drawing(title):
        figure, axes = start(layout, title, "accuracy on test, 95 % interval", height=FRAME + row * len(rows))
        _draw_line(axes, guessing, len(rows), layout, color=MUTED, linestyle=":")
        if rival is not None:
            _draw_line(axes, rival, len(rows), layout, color=COLOURS["baseline"], linestyle=(0, (4, 3)))
        for place, each in enumerate(rows):
            _draw_row(axes, place, each, roles.get(each["cell_id"], ()))
        _label(axes, rows, roles, layout)
        axes.set(xlim=(_begin(rows, guessing), 1.01), ylim=(len(rows) - 0.4, -1 if layout.is_narrow else -0.6))
        axes.grid(visible=False, axis="y")
    return figure


def _begin(rows: Sequence[Record], guessing: float) -> float:
    """Where the axis begins: at the tenth below every interval and below guessing."""
    lowest: float = min(row["accuracy_low"] for row in rows)
    return math.floor(min(lowest, guessing) * 10) / 10


def _draw_line(axes: Axes, accuracy: float, rows: int, layout: Layout, **style: Any) -> None:
    """A line from top to bottom; in a narrow chart it leaves out the names and figures above the dots."""
    if not layout.is_narrow:
        axes.axvline(accuracy, linewidth=1.2, **style)
        return
    for place in range(rows):
        axes.plot([accuracy, accuracy], [place - 0.2, place + 0.25], linewidth=1.2, **style)


def _draw_row(axes: Axes, place: int, row: Record, roles: Sequence[str]) -> None:
    is_champion = bool(set(STARRED) & set(roles))
    is_chosen = "chosen" in roles
    ends = [row["accuracy_low"], row["accuracy_high"]]
    axes.plot(ends, [place, place], color=COLOURS[row["kind"]], linewidth=2, marker="|", markersize=8)
    axes.plot(
        [row["accuracy"]],
        [place],
        color=COLOURS[row["kind"]],
        marker="*" if is_champion else MARKS[row["kind"]],
        markersize=12 if is_champion else 8 if is_chosen or "best baseline" in roles else 5.5,
        markeredgecolor=INK if is_champion or is_chosen else COLOURS[row["kind"]],
    )


def _label(axes: Axes, rows: Sequence[Record], roles: Mapping[str, Sequence[str]], layout: Layout) -> None:
    """Names at the left, or above the dots of a narrow chart; figures and roles at the right."""
    across = axes.get_yaxis_transform()
    if layout.is_narrow:
        axes.set_yticks([])
        for place, row in enumerate(rows):
            weight = "bold" if roles.get(row["cell_id"]) else "normal"
            kept: dict[str, Any] = {
                "transform": across,
                "fontsize": 8,
                "weight": weight,
                "va": "bottom",
                "in_layout": False,
            }
            axes.text(0, place - 0.25, _name_above(row, roles, layout), **kept)
            axes.text(1, place - 0.25, f"{row['accuracy']:.3f}", ha="right", **kept)
        return
    names = [fit_name(visible(row["cell_name"]), LONGEST_NAME) for row in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=9 if len(rows) < MANY else 7.5)
    for place, row in enumerate(rows):
        role = ", ".join(roles.get(row["cell_id"], ()))
        text = f"{row['accuracy']:.3f}  {role}" if role else f"{row['accuracy']:.3f}"
        axes.text(1.01, place, text, transform=across, fontsize=9, weight="bold" if role else "normal", va="center")


def _name_above(row: Record, roles: Mapping[str, Sequence[str]], layout: Layout) -> str:
    """A name with its roles, in as many lines as it takes beside its figure."""
    text = ", ".join([visible(row["cell_name"]), *roles.get(row["cell_id"], ())])
    return fill(text, layout.characters - FIGURE)


def fit_name(name: str, most: int) -> str:
    """Shorten a name to `most` characters: words before the last are cut, since the last is often the model."""
    *words, last = name.split(" ")
    if len(name) <= most:
        return name
    while words and len(" ".join([*words, "...", last])) > most:
        words.pop()
    shortened = " ".join([*words, "...", last])
    return shortened if len(shortened) <= most else f"{shortened[: most - 3]}..."

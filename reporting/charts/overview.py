"""The overview: each cell and baseline of a study as a dot with its interval, the best first."""

import math
from collections.abc import Mapping, Sequence
from textwrap import shorten

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
"""Inches of a row, with few rows and with many, and from which number on rows are many."""
NARROW_ROW = 0.4
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
        roles: What is said of a cell beside its dot, by its id.
        layout: Wide or narrow.
        title: The title; it names the temperature.
        rival: Accuracy of the best baseline, where a line is drawn.
        guessing: Accuracy of guessing, where another is.
    """
    row = NARROW_ROW if layout.is_narrow else SPARSE if len(rows) < MANY else DENSE
    with drawing(title):
        figure, axes = start(layout, title, "accuracy on test, 95 % interval", height=FRAME + row * len(rows))
        axes.axvline(guessing, color=MUTED, linestyle=":", linewidth=1.2)
        if rival is not None:
            axes.axvline(rival, color=COLOURS["baseline"], linestyle=(0, (4, 3)), linewidth=1.2)
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
    names = [shorten(visible(row["cell_name"]), LONGEST_NAME, placeholder=" ...") for row in rows]
    said = [", ".join(roles.get(row["cell_id"], ())) for row in rows]
    figures = [f"{row['accuracy']:.3f}" for row in rows]
    across = axes.get_yaxis_transform()
    if layout.is_narrow:
        axes.set_yticks([])
        for place, (name, role, figure) in enumerate(zip(names, said, figures, strict=True)):
            told = ", ".join(part for part in (name, role) if part)
            weight = "bold" if role else "normal"
            axes.text(0, place - 0.42, told, transform=across, fontsize=8, weight=weight, va="center")
            axes.text(1, place - 0.42, figure, transform=across, fontsize=8, weight=weight, va="center", ha="right")
        return
    axes.set_yticks(range(len(rows)), names, fontsize=9 if len(rows) < MANY else 7.5)
    for place, (role, figure) in enumerate(zip(said, figures, strict=True)):
        told = f"{figure}  {role}" if role else figure
        axes.text(1.01, place, told, transform=across, fontsize=9, weight="bold" if role else "normal", va="center")

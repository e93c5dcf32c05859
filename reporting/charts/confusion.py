"""The confusion matrix of an evaluation."""

from collections.abc import Sequence
from textwrap import fill

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reporting.charts.tables import Record
from reporting.theme import colour, drawing
from schemas.label import LABEL_VALUES

SQUARE = (3.2, 3.0)
DARKEST = 0.5
"""Opacity of a full square, on which text is readable in light and in dark mode."""
_CHARACTERS = 32
"""Characters of a title in a line above the matrix."""


def draw_confusion(rows: Sequence[Record], title: str) -> Figure:
    """How often each label that is present got each answer, and the share of the label's headlines."""
    with drawing(title):
        figure = Figure(figsize=SQUARE, layout="constrained")
        axes = figure.subplots()
        present = [row for row in rows if row["share"] is not None]
        labels = [label for label in LABEL_VALUES if label in {row["label"] for row in present}]
        for row in present:
            x, y = LABEL_VALUES.index(row["predicted"]), labels.index(row["label"])
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colour(0), alpha=DARKEST * row["share"], linewidth=0))
            axes.text(x + 0.5, y + 0.5, f"{row['n']}\n{row['share']:.0%}", ha="center", va="center")
        axes.set(
            xlim=(0, len(LABEL_VALUES)),
            ylim=(len(labels), 0),
            xlabel="answer",
            ylabel="label",
            title=fill(title, _CHARACTERS),
        )
        axes.title.set_fontsize(10)
        axes.set_xticks([place + 0.5 for place in range(len(LABEL_VALUES))], LABEL_VALUES)
        axes.set_yticks([place + 0.5 for place in range(len(labels))], labels, rotation=90, va="center")
        axes.grid(visible=False)
        axes.tick_params(length=0)
    return figure

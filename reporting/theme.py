"""How charts look: one palette for light and dark, and figures as SVG in a page or as files for a paper.

A chart is drawn in the light colours. In a page each of them becomes a CSS variable, so that the page's scheme decides.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1b1f24", "#5b6470", "#d5dae0", "#ffffff"
SERIES = ("#0067a5", "#c8500a", "#00755e", "#8f4a86", "#7a6a00", "#3c4a5c")
"""Distinguishable in greyscale and by most colour-blind readers; each series also has its own marker."""
MARKERS = ("o", "s", "^", "D", "v", "P")

VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)},
}

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}
_PIXELS_PER_INCH = 200


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Draw in the project's style; `name` makes the ids within a chart its own, and the same in every run."""
    with mpl.rc_context(cast("Any", {**_STYLE, "svg.hashsalt": name})):
        yield


def colour(number: int) -> str:
    """The colour of the n-th series, from 0."""
    return SERIES[number % len(SERIES)]


def marker(number: int) -> str:
    """The marker of the n-th series, from 0."""
    return MARKERS[number % len(MARKERS)]


def to_page(svg: str, name: str, description: str, layout: str = "") -> str:
    """A figure's SVG as an element whose colours follow the page, with a description for screen readers.

    Args:
        svg: The figure.
        name: The prefix of its ids.
        description: What it shows.
        layout: A CSS class by which styles show or hide it.
    """
    start = svg.index("<svg")
    for own, variable in VARIABLES.items():
        svg = svg.replace(own, f"var({variable})")
    own_ids = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", svg[start:])  # ids of one chart only
    opened, _, rest = own_ids.partition(">")
    attributes = f'role="img" aria-label="{escape(description)}" class="{f"chart {layout}".rstrip()}"'
    return f"{_without_size(opened)} {attributes}>{rest}"


def settle_layout(figure: Figure) -> Figure:
    """Compute the layout of a figure once, which saving it in two formats would do twice."""
    with drawing(""):
        if engine := figure.get_layout_engine():
            engine.execute(figure)
        figure.set_layout_engine(None)
    return figure


def save_image(figure: Figure, name: str, folder: Path) -> None:
    """The figure as `NAME.png`, on white."""
    with drawing(name):
        figure.savefig(folder / f"{name}.png", dpi=_PIXELS_PER_INCH, facecolor=PAPER)


def to_svg(figure: Figure, name: str) -> str:
    """The figure as an SVG file in the light colours."""
    buffer = StringIO()
    with drawing(name):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _without_size(tag: str) -> str:
    """The opening tag without width and height: the page sizes it by its view box."""
    return " ".join(part for part in tag.split() if not part.startswith(("width=", "height=")))

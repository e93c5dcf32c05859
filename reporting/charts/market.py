"""The chart of prices around days of strong sentiment."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from reporting.charts.layout import Layout, set_legend, start
from reporting.charts.tables import group_by
from reporting.theme import MUTED, colour, drawing, marker
from schemas.listing import count
from schemas.report import Table


def draw_events(events: Table, layout: Layout, title: str) -> Figure:
    """Mean cumulative abnormal returns around strong days, a line with its band for good news and for bad."""
    with drawing(title):
        figure, axes = start(layout, title, "sessions from the day", "cumulative abnormal return")
        for number, (direction, rows) in enumerate(group_by(events, "direction")):
            offsets = [row["session_offset"] for row in rows]
            axes.fill_between(
                offsets, [row["low"] for row in rows], [row["high"] for row in rows], color=colour(number), alpha=0.18
            )
            axes.plot(
                offsets,
                [row["abnormal_return"] for row in rows],
                color=colour(number),
                marker=marker(number),
                label=f"{direction} news, {count(rows[0]['events'], 'instrument-day')}",
            )
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.axvline(0, color=MUTED, linewidth=0.8, linestyle=":")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
        set_legend(figure, axes, layout)
    return figure

"""The leaderboard as a table in the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from cli.output.results import show
from reporting.verdict import format_ratio

Row = Mapping[str, Any]

NARROW = 6
"""Least width of a column on a narrow terminal: one figure and the slash after it."""


def build_table(rows: Sequence[Row], title: str, short_ids: Mapping[str, str]) -> Table:
    """A row for each cell, a column for each temperature: accuracy and macro-F1, with the interval at the lowest.

    Args:
        rows: Rows of the view `leaderboard` on one part, in its order.
        title: The title above the table.
        short_ids: The short form of each cell's id, as commands take it.
    """
    temperatures = sorted({row["temperature"] for row in rows if row["temperature"] is not None})
    one_blank = (0, 1, 0, 0)  # between columns: five of them fit into 80 characters
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=one_blank, header_style="bold")
    table.add_column("cell", overflow="fold", min_width=NARROW)
    for heading in (*(f"T={temperature:g}" for temperature in temperatures), "95 %"):
        table.add_column(heading, justify="right", overflow="fold", min_width=NARROW)
    by_cell: dict[str, list[Row]] = {}
    for row in rows:
        by_cell.setdefault(row["cell_id"], []).append(row)
    for cell_rows in by_cell.values():
        at = {row["temperature"]: row for row in cell_rows}
        first = at.get(temperatures[0], cell_rows[0])
        figures = [_figures(at[temperature]) if temperature in at else "" for temperature in temperatures]
        if None in at:
            figures[0] = _figures(at[None])
        interval = "-".join(format_ratio(first[bound]) for bound in ("accuracy_low", "accuracy_high"))
        table.add_row(Text(f"{short_ids[first['cell_id']]} {_name(first)}"), *figures, interval)
    champion = "; * marks the current champion" if any(row["is_champion"] for row in rows) else ""
    table.caption = f"accuracy / macro-F1; the interval is for the first accuracy in the row{champion}"
    table.caption_justify = "left"
    return table


def _name(row: Row) -> str:
    champion = " *" if row["is_champion"] else ""
    return f"{show(row['cell_name'])}{champion}"


def _figures(row: Row) -> str:
    return f"{format_ratio(row['accuracy'])} / {format_ratio(row['macro_f1'])}"

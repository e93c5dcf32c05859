"""The live view of a flow below its lines: a row for each cell, a bar for running work, and the time left.

It draws the events that `tasks.progress` sends.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

MARKS = {"to come": ("·", "dim"), "done": ("✓", "green"), "failed": ("✗", "red"), "dropped": ("-", "dim")}
PLAIN = {"·": ".", "✓": "+", "✗": "x", "-": "-"}
"""Marks for a terminal that cannot show the others."""
ENDED = ("done", "failed", "dropped")
"""States of a cell that has ended."""
BAR_WIDTH = 16
BAR_FROM = 72
"""Least width of a terminal, in columns, that has room for a bar."""
LINES_ABOVE = 8
"""Lines of the terminal that are kept for earlier output."""


@dataclass
class Row:
    """One cell, or other work that reports its progress."""

    title: str
    state: str = "to come"
    """`to come`, `running`, `done`, `failed` or `dropped`."""
    done: int = 0
    total: int = 0
    detail: str = ""


class LiveView:
    """The finished, running and planned work of a flow."""

    def __init__(self) -> None:
        """Begin with nothing to show."""
        self.cells: dict[str, Row] = {}
        self.works: dict[str, Row] = {}
        """Running work that is not a cell."""
        self.left = ""
        """Estimated time left for everything, as `0:42`; empty if there is no estimate yet."""
        self._spinner = Spinner("dots")

    def take(self, event: Mapping[str, Any]) -> None:
        """Update the view with an event.

        Its keys, all optional: `cells`, the titles of cells to come; `cell`, the title of the one that the event
        is about, and its `state` and `result`; `left`, the time left for everything; for progress `title`, `done`,
        `total`, `detail` and `ends`.
        """
        for title in event.get("cells", ()):
            self.cells.setdefault(title, Row(title))
        self.left = event.get("left", "" if "cells" in event else self.left)
        cell = event.get("cell")
        if cell is not None:
            row = self.cells.setdefault(cell, Row(cell))
            row.state = event.get("state", "running")
            row.detail = event.get("result", "")
            row.done = row.total = 0
        if "total" in event:
            self._progress(event, cell)

    def _progress(self, event: Mapping[str, Any], cell: str | None) -> None:
        if cell is None and event["done"] >= event["total"]:
            self.works.pop(event["title"], None)
            return
        row = self.cells[cell] if cell is not None else self.works.setdefault(event["title"], Row(event["title"]))
        row.state, row.done, row.total = "running", event["done"], event["total"]
        row.detail = ", ".join(part for part in (event["ends"], event["detail"]) if part)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw as many rows as the terminal has room for, and below them how many there are of each state."""
        plain = console.options.ascii_only
        rows = [*list(self.works.values()), *self._choose(max(console.height - LINES_ABOVE, 1))]
        if rows:
            has_bar = options.max_width >= BAR_FROM
            table = Table.grid(padding=(0, 1, 0, 0), expand=True)
            table.add_column(width=1)
            table.add_column(max_width=options.max_width // 2, no_wrap=True, overflow="ellipsis")
            if has_bar:
                table.add_column(width=BAR_WIDTH)
            table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
            for row in rows:
                cells = (self._mark(row, plain=plain), Text(row.title), *self._bars(row, has_bar=has_bar))
                table.add_row(*cells, Text(_describe(row)), style="dim" if row.state == "to come" else None)
            yield table
        if self.cells:
            yield Text(self._summary(), no_wrap=True, overflow="ellipsis")

    def _choose(self, most: int) -> list[Row]:
        """The rows to show if there is no room for all: running ones, the last that ended, the next ones."""
        rows = list(self.cells.values())
        if len(rows) <= most:
            return rows
        active = [number for number, row in enumerate(rows) if row.state == "running"]
        ended = [number for number, row in enumerate(rows) if row.state in ENDED]
        middle = active[0] if active else (ended[-1] if ended else 0)
        start = min(max(middle - most // 3, 0), len(rows) - most)
        return rows[start : start + most]

    def _mark(self, row: Row, *, plain: bool) -> Spinner | Text:
        if row.state == "running":
            return self._spinner if not plain else Text("*")
        mark, style = MARKS[row.state]
        return Text(PLAIN[mark] if plain else mark, style=style)

    @staticmethod
    def _bars(row: Row, *, has_bar: bool) -> Iterable[ProgressBar | Text]:
        if has_bar:
            yield ProgressBar(row.total, row.done, BAR_WIDTH) if row.total else Text()

    def _summary(self) -> str:
        states = [row.state for row in list(self.cells.values())]
        counts = {state: states.count(state) for state in (*ENDED, "running", "to come")}
        parts = [f"{number} {state}" for state, number in counts.items() if number]
        if self.left and sum(counts[state] for state in ENDED) < len(states):
            parts.append(f"about {self.left} left")
        return f"{len(states)} cells: {', '.join(parts)}"


def _describe(row: Row) -> str:
    return f"{row.done}/{row.total}, {row.detail}" if row.total else row.detail

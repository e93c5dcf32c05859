"""What a person sees in the terminal while a flow runs: plain lines, and on a screen one live bar below them.

Shows only what tasks announce; Prefect's own lines stay in its UI. Knows no study and no table.
"""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from flows.console import SECONDS_BETWEEN_LINES


class ProgressHandler(logging.Handler):
    """Shows log records that carry a `fintone` event (see `tasks.progress`) and drops all others."""

    def __init__(self, console: Console) -> None:
        """Show on `console`; the bar appears only if it is a terminal."""
        super().__init__()
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.completed}/{task.total} {task.fields[detail]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.row: TaskID | None = None
        self.title = ""
        self.printed = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record's event, if it has one."""
        event = getattr(record, "fintone", None)
        if event is None:
            return
        if "total" not in event:
            self._print(event["text"])
        elif self.console.is_terminal:
            self._draw(event)
        elif event["done"] == event["total"] or time.monotonic() - self.printed >= SECONDS_BETWEEN_LINES:
            self._print(event["text"])

    def _print(self, text: str) -> None:
        self.printed = time.monotonic()
        self.console.print(f"{time.strftime('%H:%M:%S')}  {text}", markup=False, highlight=False, soft_wrap=True)

    def _draw(self, event: dict[str, Any]) -> None:
        if event["title"] != self.title and self.row is not None:
            self.bar.remove_task(self.row)
            self.row = None
        self.title = event["title"]
        if self.row is None:
            self.row = self.bar.add_task(self.title, total=event["total"], detail="")
        self.bar.update(self.row, completed=event["done"], detail=event["detail"])
        if event["done"] == event["total"]:
            self.bar.remove_task(self.row)
            self.row = None


@contextmanager
def show_progress(console: Console) -> Iterator[None]:
    """Show announced progress on `console` in place of Prefect's own console log while the block runs."""
    import prefect.main  # noqa: F401 (sets up Prefect's logging, which would undo what follows)
    from prefect.logging.handlers import PrefectConsoleHandler

    root, prefect_logger = logging.getLogger(), logging.getLogger("prefect")
    consoles = [handler for handler in root.handlers if isinstance(handler, PrefectConsoleHandler)]
    for handler in consoles:
        root.removeHandler(handler)
    shown = ProgressHandler(console)
    prefect_logger.addHandler(shown)
    try:
        with shown.bar:
            yield
    finally:
        prefect_logger.removeHandler(shown)
        for handler in consoles:
            root.addHandler(handler)


def mute_exit() -> None:
    """From here on, let nothing reach the terminal: what libraries say while the process ends is for nobody.

    To be run at exit: Prefect tells that its temporary server stops, and DuckDB's binding lists what Prefect's threads
    still hold. Does nothing where another program has put its own stream in place of standard error.
    """
    sys.stderr.flush()
    own = sys.__stderr__
    if own is not None and sys.stderr is own:
        os.dup2(os.open(os.devnull, os.O_WRONLY), own.fileno())

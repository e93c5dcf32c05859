"""What a person sees in the terminal while a flow runs: plain lines, and on a screen a live view below them.

Shows only what tasks announce; Prefect's own lines stay in its UI.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from rich.console import Console
from rich.live import Live

from cli import debugging
from cli.output.console import SECONDS_BETWEEN_LINES, print_text
from cli.session.live import LiveView
from schemas.text import show_text

CLOCK = "%H:%M:%S"


class ProgressHandler(logging.Handler):
    """Shows log records that carry a `fintone` event (see `tasks.progress`) and drops all others."""

    def __init__(self, console: Console, printed_topics: frozenset[str] = frozenset()) -> None:
        """Show events on `console`, except lines of `printed_topics`; there is a live view only if it is a terminal."""
        super().__init__()
        self.console, self.printed_topics = console, printed_topics
        self.view = LiveView()
        has_screen = console.is_terminal and not console.is_dumb_terminal
        self.screen = Live(self.view, console=console, transient=True) if has_screen else None
        self.last_printed = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record's event, if it has one, and with `--debug` its traceback."""
        if debugging.is_on and record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            self.console.print(show_text(text, lines=True), markup=False, highlight=False, soft_wrap=True)
        event = getattr(record, "fintone", None)
        if event is None:
            return
        self.view.take(event)
        if "text" in event and self._is_line(event):
            self._print(event["text"])

    def _is_line(self, event: dict[str, Any]) -> bool:
        """Whether to print the event; on a terminal, progress is drawn live, elsewhere it is printed now and then."""
        if event.get("topic") in self.printed_topics:
            return False
        if self.screen:
            return "total" not in event and "left" not in event
        is_ongoing = "total" in event and event["done"] < event["total"]
        return not is_ongoing or time.monotonic() - self.last_printed >= SECONDS_BETWEEN_LINES

    def _print(self, text: str) -> None:
        self.last_printed = time.monotonic()
        print_text(f"{time.strftime(CLOCK)}  {show_text(text)}", self.console, indent=len("HH:MM:SS  "))


@contextmanager
def show_progress(console: Console, printed_topics: frozenset[str] = frozenset()) -> Iterator[None]:
    """Show announced progress on `console` in place of Prefect's own console log while the block runs.

    Args:
        console: The terminal, or a pipe.
        printed_topics: Topics of lines that the caller has already printed.
    """
    import prefect.main  # noqa: F401 (sets up Prefect's logging, which would undo the changes below)
    from prefect.logging.handlers import PrefectConsoleHandler

    root, prefect_logger = logging.getLogger(), logging.getLogger("prefect")
    consoles = [handler for handler in root.handlers if isinstance(handler, PrefectConsoleHandler)]
    for handler in consoles:
        root.removeHandler(handler)
    shown = ProgressHandler(console, printed_topics)
    prefect_logger.addHandler(shown)
    try:
        with shown.screen or nullcontext():
            yield
    finally:
        prefect_logger.removeHandler(shown)
        for handler in consoles:
            root.addHandler(handler)

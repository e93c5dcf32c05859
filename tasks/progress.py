"""Progress of the running task or flow: lines in the run's log and a progress bar in the Prefect UI.

Each log record has a `fintone` attribute besides its text, from which a terminal draws its own view (see
`cli.session.live`).
"""

import logging
import time
from typing import Any, cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from operations.pace import SECONDS_TO_MEAN, Work, current_pace
from reporting.markdown import escape
from schemas.text import show_text

SECONDS_BETWEEN_UPDATES = 2.0
"""A bar in the UI costs a request."""
SHARE_BETWEEN_LINES = 0.1
"""Of the time so far, between two lines that the server keeps: ten hours have about a hundred."""


WARNING = "warning: "
"""A line that begins so has the level of a warning, by which the Prefect UI filters."""


def announce(message: str, level: int = logging.INFO, **event: Any) -> None:
    """Log a line for people to read; `event` has what a live view shows for it, and `topic` in it what it is about."""
    text = show_text(message)
    level = max(level, logging.WARNING) if message.startswith(WARNING) else level
    get_run_logger().log(level, text, extra={"fintone": {"text": text, **event}})


def note(message: str, **event: Any) -> None:
    """Log what the live view and the Prefect UI show, without a line of its own in the terminal."""
    get_run_logger().info(message, extra={"fintone": event})


class Progress:
    """A bar from 0 to `total`; it is shown at most every two seconds, and at its end.

    The log on the server keeps a line ever less often, since the bar shows the rest.
    """

    def __init__(self, title: str, total: int, cell: str | None = None, work: Work = "score") -> None:
        """Begin; the artifact is made with the first update that is shown.

        Args:
            title: What is done.
            total: How much there is to do.
            cell: The cell whose progress it is, if any.
            work: The kind of work.
        """
        self.title, self.cell, self.work = title, cell, work
        self.total = total
        self.begun = self.shown = self.kept = time.monotonic()
        self.first: tuple[float, int] | None = None
        """When the first update came, and how much was done by then, in start-up or in an earlier run."""
        self.artifact: UUID | None = None

    def update(self, done: int, detail: str = "") -> None:
        """Record how much is done, with a detail to show."""
        now, pace = time.monotonic(), current_pace()
        self.first = self.first or (now, done)
        if pace and self.cell:
            pace.update(self.cell, self.work, done, self.total)
        if done < self.total and now - self.shown < SECONDS_BETWEEN_UPDATES:
            return
        self.shown = now
        ends = self._describe_end(done, now)
        text = ", ".join(part for part in (self.title, f"{done}/{self.total}", detail, ends) if part)
        event: dict[str, Any] = {"text": text, "title": self.title, "done": done, "total": self.total}
        event |= {"detail": detail, "ends": ends, "cell": self.cell}
        seconds = pace.seconds_left() if pace else None
        if seconds is not None:
            event["left"] = format_seconds(seconds)
        is_kept = done >= self.total or now - self.kept >= SHARE_BETWEEN_LINES * (now - self.begun)
        self.kept = now if is_kept else self.kept
        get_run_logger().info(show_text(text), extra={"fintone": event, "send_to_api": is_kept})
        self._draw(100 * done / self.total, text)

    def _describe_end(self, done: int, now: float) -> str:
        """How long the rest will take; empty if there is none, or too little was done to estimate it."""
        assert self.first is not None
        begun, before = self.first
        if done >= self.total or done <= before or now - begun < SECONDS_TO_MEAN:
            return ""
        return f"{format_seconds((now - begun) / (done - before) * (self.total - done))} left"

    def _draw(self, percent: float, text: str) -> None:
        if self.artifact is None:
            self.artifact = cast("UUID", create_progress_artifact(percent, description=escape(text)))
        else:
            update_progress_artifact(self.artifact, percent, description=escape(text))


class JobProgress:
    """Shows the events of a running job: a line, a step of a training, or a number of scored headlines."""

    def __init__(self, title: str, headlines: int = 0, cell: str | None = None) -> None:
        """Begin; the bar appears with the first event that is shown. `headlines`: how many a scoring has."""
        self.title, self.headlines, self.cell = title, headlines, cell
        self.bar: Progress | None = None

    def update(self, event: Any) -> None:
        """Take a line, a `TrainingStep`, or how many headlines are scored."""
        if isinstance(event, str):
            announce(f"{self.title}: {event}")
        elif isinstance(event, int):
            self._show(self.headlines, event, "score")
        else:
            detail = f"loss {event.loss:.3f}, {event.examples_per_second:.0f} headlines/s"
            self._show(event.steps, event.step, "train", detail)

    def _show(self, total: int, done: int, work: Work, detail: str = "") -> None:
        self.bar = self.bar or Progress(self.title, total, self.cell, work)
        self.bar.update(done, detail)


def format_seconds(seconds: float) -> str:
    """Minutes and seconds, `3:07`; with hours where there are any, `1:03:07`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

"""Progress of the task or flow at work: lines in the run's log and a progress bar in the Prefect UI.

Each record carries a `fintone` attribute beside its text, so that a terminal can show it in its own way (see
`cli.session.live`).
"""

import time
from typing import Any, cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from operations.pace import SECONDS_TO_MEAN, Work, current_pace
from reporting.markdown import escape
from schemas.text import show_text

SECONDS_BETWEEN_UPDATES = 2.0
"""A bar in the UI costs a request, a line in the log a row."""


def announce(message: str, **event: Any) -> None:
    """Log a line that people want to read; `event` is what a live view makes of it, `topic` what it is about."""
    text = show_text(message)
    get_run_logger().info(text, extra={"fintone": {"text": text, **event}})


def note(message: str, **event: Any) -> None:
    """Log what people see in the live view and in the Prefect UI, and what is no line of its own in the terminal."""
    get_run_logger().info(message, extra={"fintone": event})


class Progress:
    """A bar from 0 to `total`; it is shown at most every two seconds, and at its end."""

    def __init__(self, title: str, total: int, cell: str | None = None, work: Work = "score") -> None:
        """Begin; the artifact is made with the first update that is shown.

        Args:
            title: What is done.
            total: How much there is to do.
            cell: The cell whose progress it is, if any.
            work: What it does.
        """
        self.title, self.cell, self.work = title, cell, work
        self.total = total
        self.shown = time.monotonic()
        self.first: tuple[float, int] | None = None
        """When the first update came, and how much was done then: what was before it is start-up, or another run's."""
        self.artifact: UUID | None = None

    def update(self, done: int, detail: str = "") -> None:
        """Say how much is done, and something more about it."""
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
        get_run_logger().info(show_text(text), extra={"fintone": event})
        self._draw(100 * done / self.total, text)

    def _describe_end(self, done: int, now: float) -> str:
        """How long the rest will take, as long as there is one and the first seconds tell it."""
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
    """What a job tells on its way, as people see it: a line, a step of a training, or a number of scored headlines."""

    def __init__(self, title: str, headlines: int = 0, cell: str | None = None) -> None:
        """Begin; the bar appears with the first event that is shown. `headlines`: of a scoring, how many there are."""
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

"""How fast headlines are trained on and scored, and how long the rest of a study takes.

Start-up and the loading of models do not count: a rate is measured from the first headlines of a cell on.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Work = Literal["train", "score"]
SECONDS_TO_MEAN = 3.0
"""Seconds of work after which a rate is meaningful."""
SECONDS_OF_A_SKIP = 1.0
"""A cell that takes less was finished before, and is no measure for the others."""


class Meter:
    """The rate of one kind of work, over all cells; those that run at the same time are measured together."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing measured."""
        self._clock = clock
        self.headlines = self.seconds = 0.0
        self._done: dict[str, float] = {}
        self._seen_at = 0.0

    def update(self, who: str, headlines: float, *, is_last: bool = False) -> None:
        """Record how many headlines a cell has done; its first number begins its measurement."""
        now = self._clock()
        if self._done:
            self.add(max(headlines - self._done.get(who, headlines), 0), now - self._seen_at)
        self._seen_at, self._done[who] = now, headlines
        if is_last:
            self.stop(who)

    def add(self, headlines: float, seconds: float) -> None:
        """Add work that was measured elsewhere."""
        self.headlines += headlines
        self.seconds += seconds

    def stop(self, who: str) -> None:
        """Expect no more work of a cell."""
        self._done.pop(who, None)

    def rate(self, least: float = SECONDS_TO_MEAN) -> float | None:
        """Seconds per headline; None while fewer seconds than `least` were measured."""
        return self.seconds / self.headlines if self.headlines and self.seconds >= least else None


@dataclass(frozen=True)
class CellWork:
    """The work of a cell, except its scoring, which is the same for all."""

    base: str
    """Its base model."""
    steps: int
    """Steps of its training that no cell before it does."""
    batch_size: int
    """Headlines per step."""


class Pace:
    """Estimates how long the remaining cells of a study will take."""

    def __init__(
        self,
        works: Mapping[str, CellWork],
        order: Sequence[str],
        lanes: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            works: The work of each cell, by its name: cells that are counted, and others that are only measured.
            order: The names of the cells that are counted.
            lanes: How many cells run at the same time, as on a cluster.
            clock: Returns the time in seconds.
        """
        self._works, self.order, self._lanes = works, list(order), lanes
        self._training = {cell: works[cell].steps * works[cell].batch_size for cell in order}
        self._scoring: dict[str, int] = {}
        self._to_score: int | None = None
        bases = {work.base for work in works.values()}
        self._meters = {
            "train": {base: Meter(clock) for base in bases},
            "score": {base: Meter(clock) for base in bases},
        }
        self._besides: dict[str, float] = {}
        """The fewest seconds that a cell of a base took besides the measured work; only bases with a finished cell."""
        self._clock, self._turn = clock, threading.Lock()

    @property
    def done(self) -> int:
        """How many of the counted cells are done or left out."""
        return len(self.order) - len(self._training)

    def update(self, cell: str, work: Work, done: int, total: int) -> None:
        """Record the progress of a cell: in steps of its training, or in headlines to score."""
        cell_work = self._works.get(cell)
        if cell_work is None:
            return
        with self._turn:
            size = cell_work.batch_size if work == "train" else 1
            self._meters[work][cell_work.base].update(cell, done * size, is_last=done >= total)
            if work == "score":
                self._to_score, self._scoring[cell] = total, total - done
            if cell in self._training:
                self._training[cell] = (total - done) * size if work == "train" else 0

    @contextmanager
    def running(self, cells: Sequence[str]) -> Iterator[None]:
        """Measure a block that runs some of the counted cells to their end."""
        begun, measured = self._clock(), self._measured()
        with self._turn:
            training = sum(self._training[cell] for cell in cells)
        yield
        with self._turn:
            seconds, worked = self._clock() - begun, self._measured() - measured
            if seconds > SECONDS_OF_A_SKIP:
                self._finish(self._works[cells[0]].base, training, seconds, worked, len(cells))
            for cell in cells:
                del self._training[cell]
                self._stop(cell)

    @contextmanager
    def pausing(self, cells: Sequence[str]) -> Iterator[None]:
        """Measure a block that trains some of the cells up to a pause; the rest of their work remains."""
        yield
        with self._turn:
            for cell in cells:
                self._stop(cell)

    def leave_out(self, cells: Iterable[str]) -> None:
        """Expect no more of cells that will not run."""
        with self._turn:
            for cell in cells:
                self._training.pop(cell, None)

    def _stop(self, cell: str) -> None:
        """Stop measuring a cell until it goes on."""
        for meters in self._meters.values():
            meters[self._works[cell].base].stop(cell)

    def _finish(self, base: str, training: int, seconds: float, worked: float, cells: int) -> None:
        """Add the seconds of cells that are done; another machine does not report its progress."""
        if not worked:
            self._meters["train"][base].add(training, seconds)
            worked = seconds
        besides = max(seconds - worked, 0) / cells
        self._besides[base] = min(self._besides.get(base, besides), besides)

    def seconds_left(self) -> float | None:
        """Seconds that all counted cells will take; None while too little is measured."""
        with self._turn:
            seconds = len(self._training) * min(self._besides.values(), default=0.0)
            for cell, training in self._training.items():
                base = self._works[cell].base
                for work, headlines in (("train", training), ("score", self._scoring.get(cell, self._to_score))):
                    rate = self._rate(work, base)
                    if rate is None:
                        return None
                    seconds += rate * (headlines or 0)  # without any scoring, its rate is 0
        return seconds / self._lanes

    def _rate(self, work: str, base: str) -> float | None:
        """Seconds per headline; None while it cannot be estimated.

        For a base with a finished cell, work too short to be measured is part of `_besides`. A base that has scored
        and not trained yet is assumed to train slower than another one by the same factor as it scores slower.
        """
        is_known = base in self._besides
        own = self._meters[work][base].rate(0.0 if is_known else SECONDS_TO_MEAN)
        if own is not None or is_known:
            return own or 0.0
        score = self._meters["score"]
        for other, meter in self._meters["train"].items() if work == "train" else ():
            rates = meter.rate(), score[base].rate(0.0), score[other].rate(0.0)
            if all(rates):
                return rates[0] * rates[1] / rates[2]  # type: ignore[operator]
        return None

    def _measured(self) -> float:
        return sum(meter.seconds for meters in self._meters.values() for meter in meters.values())


_current: ContextVar[Pace | None] = ContextVar("pace", default=None)


@contextmanager
def pacing(pace: Pace) -> Iterator[None]:
    """Record the progress of the block's cells in a pace."""
    token = _current.set(pace)
    try:
        yield
    finally:
        _current.reset(token)


def current_pace() -> Pace | None:
    """The pace of the current block, if any."""
    return _current.get()

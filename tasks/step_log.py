"""The steps of a training, as progress and in the warehouse."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.plan import ModelCell
from storage.home import Home
from tasks.progress import JobProgress

if TYPE_CHECKING:
    from learning.training.recipe import TrainingOutcome, TrainingStep

SECONDS_BETWEEN_WRITES = 10.0
"""Between two writes of a training's log: each write opens the warehouse."""


class StepLog:
    """Shows the steps of a training as progress, and writes them to the warehouse now and then while it runs."""

    def __init__(self, cell: ModelCell, title: str) -> None:
        """Begin; the bar appears with the first step."""
        self.cell = cell
        self.progress = JobProgress(title, cell=cell.name)
        self.unsaved: list[TrainingStep] = []
        self.saved_at = time.monotonic()

    def update(self, step: "TrainingStep") -> None:
        """Take a step of the training."""
        self.progress.update(step)
        self.unsaved.append(step)
        if time.monotonic() - self.saved_at >= SECONDS_BETWEEN_WRITES:
            self._write(self.unsaved, whole=False)

    def save(self, outcome: "TrainingOutcome") -> None:
        """Write the log of the whole training in place of what was written before."""
        self._write(outcome.log, whole=True)

    def _write(self, steps: "Sequence[TrainingStep]", *, whole: bool) -> None:
        import pandas as pd

        from storage.cell_progress import save_training_log

        columns = ("step", "epoch", "loss", "learning_rate", "grad_norm", "examples_per_second", "logged_at")
        rows = pd.DataFrame([[getattr(step, name) for name in columns] for step in steps], columns=list(columns))
        rows = rows.assign(cell_id=self.cell.cell_id)
        save_training_log(Home.from_environment().warehouse, rows, whole=whole)
        self.unsaved, self.saved_at = [], time.monotonic()

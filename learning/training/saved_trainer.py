"""The base of all trainers: adds sealed checkpoints, a watch for divergence and timed steps to transformers' own."""

import time
from typing import Any

from torch.utils.serialization import config as serialization
from transformers import PrinterCallback, Trainer

from learning.training.callbacks import DivergenceWatch, Saving, SavingClock


class SavedTrainer(Trainer):  # type: ignore[misc]
    """transformers' `Trainer`, which saves to a `CheckpointStore` and stops if the training diverges."""

    def watch_and_save(self, saving: Saving | None, outcomes: int) -> None:
        """Set up checkpoints and the watch for divergence.

        Args:
            saving: When to write checkpoints; none are written when None.
            outcomes: Number of tokens or labels from which the model chooses.
        """
        self.remove_callback(PrinterCallback)
        self.saving = saving
        self.watch = DivergenceWatch(outcomes)
        self.add_callback(self.watch)
        self.clock = SavingClock(saving) if saving else None
        if self.clock:
            self.add_callback(self.clock)

    @property
    def stopped(self) -> bool:
        """Whether the training stopped on request, with a checkpoint."""
        return self.clock is not None and self.clock.stopped

    def train(self, *arguments: Any, **named: Any) -> Any:
        """Train, as transformers' trainer does."""
        self.begun = time.monotonic()
        return super().train(*arguments, **named)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log a step with the time of its end, and the examples per second since `train` began."""
        examples = len(self.train_dataset) * self.args.num_train_epochs / self.state.max_steps
        done = examples * (self.state.global_step - self._initial_global_step)
        rate = done / (time.monotonic() - self.begun)
        super().log({**logs, "examples_per_second": rate, "logged_at": time.time()}, start_time)

    def _get_output_dir(self, trial: Any) -> str:
        if self.saving is None:
            return str(super()._get_output_dir(trial))
        return str(self.saving.store.folder_of(self._length_of_state()))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint, and seal it when it is complete."""
        if self.saving is None:
            raise RuntimeError("a trainer without a store cannot save")
        super()._save_checkpoint(model, trial)
        store, length = self.saving.store, self._length_of_state()
        folder = store.folder_of(length) / f"checkpoint-{self.state.global_step}"
        optimizer = str(self.args.optim.value)
        store.seal(folder, self.state.global_step, length, optimizer, diverged=self.watch.diverged)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        """Save without torch's own checksums: the seal has the hash of every file."""
        with serialization.patch({"save.compute_crc32": False}):  # type: ignore[attr-defined]
            super()._save_optimizer_and_scheduler(output_dir)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Load to a GPU by mapping the file instead of reading it into memory first."""
        with serialization.patch({"load.mmap": self.args.device.type == "cuda"}):  # type: ignore[attr-defined]
            super()._load_optimizer_and_scheduler(checkpoint)

    def _length_of_state(self) -> int | None:
        """The length in epochs of the only training with the current state; None if longer ones pass through it."""
        if self.saving is None or self.state.global_step <= self.saving.shared_steps:
            return None
        return self.saving.epochs

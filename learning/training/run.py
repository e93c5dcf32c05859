"""The record of one training: its steps, its furthest checkpoint, its log and its outcome."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import TrainerState

from learning.models.device import Device, describe_environment, peak_memory_bytes
from learning.models.saving import save_fine_tune
from learning.training.callbacks import Saving, StepReporter
from learning.training.recipe import Training, TrainingOutcome, TrainingStep
from learning.training.schedule import lay_out_steps
from schemas.files import temporary_folder


class Run:
    """A training from its furthest checkpoint to its outcome; trainers record their results here."""

    def __init__(
        self, training: Training, lengths: Sequence[int], device: Device, notify: Callable[[str], None]
    ) -> None:
        """Plan the steps.

        Args:
            training: The fine-tune to train.
            lengths: Tokens of each example.
            device: The device that trains.
            notify: Called with a message about a checkpoint that is ignored.
        """
        self.training, self.device, self.notify = training, device, notify
        self.recipe, self.store = training.recipe, training.store
        self.examples, self.tokens = len(lengths), sum(lengths)
        self.schedule = lay_out_steps(self.examples, self.recipe.training)
        steps = self.schedule.steps // self.recipe.training.epochs  # of an epoch
        self.pause_step = None if training.pause_epoch is None else steps * training.pause_epoch

    def begin(self) -> bool:
        """Find the furthest checkpoint; returns whether nothing is left to do after it."""
        found = None
        if self.store:
            shared_steps, optimizer = self.schedule.shared_steps, self.device.optimizer
            found = self.store.find(self.recipe.training.epochs, shared_steps, optimizer, self.notify, self.pause_step)
        self.checkpoint, self.history = found, found.read_log() if found else []
        self.first_step = found.step if found else 0
        self.diverged = found is not None and found.diverged
        self.seconds, self.stopped = 0.0, False
        last_step = self.schedule.steps if self.pause_step is None else self.pause_step
        return found is not None and (self.diverged or self.first_step == last_step)

    @property
    def saving(self) -> Saving | None:
        """When and where its checkpoints are written; None if none are."""
        if self.store is None:
            return None
        settings = self.recipe.training
        minutes, steps = settings.checkpoint_minutes, settings.checkpoint_steps
        return Saving(self.store, settings.epochs, self.schedule.shared_steps, steps, minutes, self.pause_step)

    @property
    def reporter(self) -> StepReporter:
        """The callback that reports each step."""

        def report_step(entry: dict[str, Any], state: TrainerState) -> None:
            self.training.on_step(_read_step(entry, state.max_steps))

        return StepReporter(report_step)

    @contextmanager
    def lend_scratch(self) -> Iterator[Path]:
        """A folder for the trainer's other files; after a kill it is deleted together with the checkpoints."""
        if self.store is None:
            with temporary_folder() as folder:
                yield folder
            return
        self.store.root.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.store.root) as name:
            yield Path(name)

    def train(self, trainer: Any, model: Any) -> None:
        """Train to the end or a pause and save the fine-tune; a stop request leaves a checkpoint instead."""
        start = time.monotonic()
        trainer.train(resume_from_checkpoint=str(self.checkpoint.folder) if self.checkpoint else None)
        self.seconds, self.stopped = time.monotonic() - start, trainer.stopped
        if not self.stopped:
            self._record(trainer, model)
            save_fine_tune(model, self.training.adapter_folder)

    def _record(self, trainer: Any, model: Any) -> None:
        """Keep the log of a training that went to its end or to a pause, and whether it diverged.

        Args:
            trainer: Its trainer, which watches the loss.
            model: What it trained; weights that are not finite mean that it diverged, too.
        """
        self.history = [entry for entry in trainer.state.log_history if "loss" in entry]
        finite = all(bool(weight.isfinite().all()) for weight in model.parameters() if weight.requires_grad)
        self.diverged = trainer.watch.diverged or not finite

    def finish(
        self,
        files: Sequence[str],
        fine_tune_hash: Callable[[Path], str],
        environment: dict[str, str],
        *,
        micro_batch_size: int,
        memory_errors: int,
    ) -> TrainingOutcome:
        """Copy the fine-tune from its checkpoint, if it is in one, and return the outcome of the training.

        Args:
            files: Names of a fine-tune's files.
            fine_tune_hash: Checks them in a folder, and returns their hash.
            environment: How it was trained, besides device, versions and seed; recorded if any steps remained.
            micro_batch_size: Examples of a forward pass.
            memory_errors: How often memory ran out.
        """
        folder, epochs = self.training.adapter_folder, self.recipe.training.epochs
        if self.checkpoint and not self.seconds:
            self.checkpoint.copy_files(files, folder)
        if self.store and self.pause_step is None:
            self.store.drop_own(epochs)
        log = tuple(_read_step(entry, self.schedule.steps) for entry in self.history)
        passes = None
        if self.seconds:
            passes = (log[-1].epoch - self.first_step * epochs / self.schedule.steps) / self.seconds
        how = environment if self.seconds else {}
        return TrainingOutcome(
            log=log,
            first_step=self.first_step,
            seconds=self.seconds,
            examples_per_second=None if passes is None else passes * self.examples,
            tokens_per_second=None if passes is None else passes * self.tokens,
            peak_memory_bytes=peak_memory_bytes(self.device),
            environment={**describe_environment(self.device), **how, "seed": str(self.recipe.training.seed)},
            micro_batch_size=micro_batch_size,
            memory_errors=memory_errors,
            diverged=self.diverged,
            adapter_hash=fine_tune_hash(folder),
        )


def _read_step(entry: dict[str, Any], steps: int) -> TrainingStep:
    names = ("step", "epoch", "loss", "learning_rate", "grad_norm", "examples_per_second")
    values = {name: entry[name] for name in names}
    return TrainingStep(**values, steps=steps, logged_at=datetime.fromtimestamp(entry["logged_at"], UTC))

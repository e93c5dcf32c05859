"""Callbacks of the trainers: they report steps, request checkpoints and detect divergence."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from learning.training.checkpoints import CheckpointStore
from learning.training.shared_pass import SharedPass
from learning.training.stopping import is_stop_requested

EXPLODED = 2.0
"""A loss has exploded above this multiple of the loss of uniform guessing, the log of the number of tokens."""
SMOOTHED = 10
"""Number of steps over which the loss is averaged."""
SECONDS_A_MINUTE = 60


@dataclass(frozen=True)
class Saving:
    """When and where checkpoints are written."""

    store: CheckpointStore
    epochs: int
    shared_steps: int
    every_steps: int | None
    every_minutes: float
    pause_step: int | None = None
    """Step at which the training pauses; None if it goes on to its end."""


class Meeting(TrainerCallback):  # type: ignore[misc]
    """Waits for the other trainings after each step, since all share one state object in accelerate."""

    def __init__(self, shared: SharedPass, member: int) -> None:
        self.shared, self.member = shared, member

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Wait."""
        self.shared.wait(self.member)

    on_substep_end = on_step_end


class StepReporter(TrainerCallback):  # type: ignore[misc]
    """Passes each step's log on."""

    def __init__(self, notify: Callable[[dict[str, Any], TrainerState], None]) -> None:
        """Call `notify` with each entry of the log and the state of the training."""
        self.notify = notify

    def on_log(
        self,
        _args: TrainingArguments,
        state: TrainerState,
        _control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Report a step that was logged."""
        if logs is not None and "loss" in logs:
            self.notify(state.log_history[-1], state)


class DivergenceWatch(TrainerCallback):  # type: ignore[misc]
    """Ends a training whose loss is NaN or infinite or has exploded, with a checkpoint of its last step."""

    def __init__(self, vocabulary: int) -> None:
        """Watch a model with this many tokens."""
        self.limit = EXPLODED * math.log(vocabulary)
        self.diverged = False

    def on_log(self, _args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Judge the loss that was logged."""
        losses = [entry["loss"] for entry in state.log_history[-SMOOTHED:] if "loss" in entry]
        exploded = len(losses) == SMOOTHED and sum(losses) / SMOOTHED > self.limit
        if losses and (not math.isfinite(losses[-1]) or exploded):
            self.diverged = control.should_training_stop = True


class SavingClock(TrainerCallback):  # type: ignore[misc]
    """Requests checkpoints at intervals, where trainings of several lengths diverge, and when a training ends early."""

    def __init__(self, saving: Saving) -> None:
        self.saving = saving
        self.saved_at = time.monotonic()
        self.stopped = False
        """Whether the training ends here because it was requested to stop."""

    def on_step_end(self, _args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Request a checkpoint if one is due."""
        saving, step = self.saving, state.global_step
        late = time.monotonic() - self.saved_at >= saving.every_minutes * SECONDS_A_MINUTE
        if late or step == saving.shared_steps or step % (saving.every_steps or step + 1) == 0:
            control.should_save = True
            self.saved_at = time.monotonic()
        if step == saving.pause_step:
            control.should_save = control.should_training_stop = True
        elif is_stop_requested():
            self.stopped = control.should_save = control.should_training_stop = True

    def on_log(self, _args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Request a checkpoint if the training ends early."""
        if control.should_training_stop and state.global_step < state.max_steps:
            control.should_save = True

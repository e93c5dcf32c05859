"""Input and output of a training, as passed between processes. Loads no heavy library."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from learning.training.checkpoints import CheckpointStore
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings

MOST_EXAMPLES_A_PASS = 16
"""Most examples of a pack: larger packs are not faster, as the prefix is a small part and the mask grows
quadratically."""


@dataclass(frozen=True)
class TrainingStep:
    """The figures of an optimiser step."""

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    examples_per_second: float
    """Average since the first step of this process."""
    logged_at: datetime


@dataclass(frozen=True)
class TrainingOutcome:
    """The result of a finished training besides the adapter."""

    log: tuple[TrainingStep, ...]
    """All steps, including those of an earlier process or a shorter training; empty if a kind of model has none."""
    first_step: int
    """How many steps an earlier process or a shorter training had done."""
    seconds: float
    """Time for the steps after `first_step`."""
    examples_per_second: float | None
    tokens_per_second: float | None
    """Tokens of whole prompts with their labels, without padding; None if no step remained."""
    peak_memory_bytes: int
    environment: dict[str, str]
    """Device, versions, seed and, if steps remained, how they were trained."""
    micro_batch_size: int
    memory_errors: int
    """How often memory ran out and the micro-batch was reduced."""
    diverged: bool
    """Whether the loss or a weight was NaN or infinite, or the loss exploded; training stopped there."""
    adapter_hash: str
    """Hash of the adapter's files, which a later load checks."""

    @property
    def steps(self) -> int:
        """How many steps were done, including those of an earlier process or a shorter training."""
        return self.log[-1].step if self.log else 0


@dataclass(frozen=True)
class Recipe:
    """Everything that determines an adapter besides base model and headlines; the seed determines all random draws."""

    prompt: PromptSettings
    lora: LoraSettings
    training: TrainingSettings


def _ignore_step(step: TrainingStep) -> None:
    """Nothing; a lambda could not go to another process."""


@dataclass(frozen=True)
class Training:
    """One fine-tune that is to be trained."""

    recipe: Recipe
    adapter_folder: Path
    """Folder of the fine-tune, which appears complete or not at all."""
    store: CheckpointStore | None = None
    """The checkpoints: the training continues from the furthest suitable one, and writes more. None for no
    checkpoints."""
    on_step: Callable[[TrainingStep], None] = _ignore_step
    """Called with each step as it ends."""
    pause_epoch: int | None = None
    """The epoch after which it pauses, with the fine-tune at that point in its folder and a checkpoint; None if it does
    not pause."""


def _largest_part(whole: int, most: int) -> int:
    """The largest divisor of `whole` that is at most `most`."""
    return max(size for size in range(1, min(whole, most) + 1) if whole % size == 0)


def smaller_micro_batch_size(batch: int, size: int) -> int:
    """The micro-batch to try where one of this size does not fit into memory: at most half, a divisor of the batch."""
    return _largest_part(batch, max(size // 2, 1))


def first_micro_batch_size(training: TrainingSettings) -> int:
    """The number of examples in a forward pass to begin with: as set, or as many as make it faster."""
    return training.micro_batch_size or _largest_part(training.batch_size, MOST_EXAMPLES_A_PASS)

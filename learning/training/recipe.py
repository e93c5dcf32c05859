"""What goes into a training and what comes out of it, as it travels between processes. Loads no heavy library."""

from dataclasses import dataclass
from datetime import datetime

from schemas.cell import LoraSettings, PromptSettings, TrainingSettings

MOST_EXAMPLES_A_PASS = 16
"""Beyond it a pack gets no faster, since its prefix is then a small part of it, and its mask grows with its square."""


@dataclass(frozen=True)
class TrainingStep:
    """What an optimiser step tells."""

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    examples_per_second: float
    """Since the first step of this process."""
    logged_at: datetime


@dataclass(frozen=True)
class TrainingOutcome:
    """What a finished training leaves beside the adapter."""

    log: tuple[TrainingStep, ...]
    """Of every step, those of an earlier process or a shorter training too."""
    first_step: int
    """How many steps an earlier process or a shorter training had done."""
    seconds: float
    """Of the steps after those."""
    examples_per_second: float | None
    tokens_per_second: float | None
    """Tokens of whole prompts with their labels, without padding; None where no step was left to do."""
    peak_memory_bytes: int
    environment: dict[str, str]
    packed: bool
    """Batches were packed behind their common prefix; else the model takes no packs, and they were padded."""
    micro_batch_size: int
    memory_errors: int
    """How often memory ran out, and the micro-batch was made smaller for it."""
    diverged: bool
    """The loss or a weight was no number, or the loss exploded; training stopped there."""
    adapter_hash: str
    """Of the adapter's files, by which a later load knows them."""


@dataclass(frozen=True)
class Recipe:
    """All that decides an adapter beside the base model and the headlines; the seed decides what is drawn."""

    prompt: PromptSettings
    lora: LoraSettings
    training: TrainingSettings


def largest_part(whole: int, most: int) -> int:
    """The largest divisor of `whole` that is `most` or less."""
    return max(size for size in range(1, min(whole, most) + 1) if whole % size == 0)


def first_micro_batch_size(training: TrainingSettings) -> int:
    """Examples of a forward pass to begin with: as set, or as many as make it faster."""
    return training.micro_batch_size or largest_part(training.batch_size, MOST_EXAMPLES_A_PASS)

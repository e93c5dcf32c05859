"""Short trainings of an adapter, and how a test ends one."""

from pathlib import Path
from typing import Any

from learning.training.recipe import Recipe
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings

DROPOUT = LoraSettings(r=4, dropout=0.1)


def recipe(epochs: int, schedule: Any = "constant", **changes: Any) -> Recipe:
    """Five steps an epoch, in two micro-batches each, with dropout, so that every random number counts."""
    training = TrainingSettings(
        loss="completion",
        schedule=schedule,
        batch_size=8,
        micro_batch_size=4,
        learning_rate=1e-3,
        epochs=epochs,
        seed=7,
        **changes,
    )
    return Recipe(PromptSettings(), DROPOUT, training)


def weights(folder: Path) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()


class KilledError(Exception):
    """Raised by a test to end a training."""

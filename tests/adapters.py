"""Training of a single adapter."""

from collections.abc import Callable, Sequence
from pathlib import Path

from learning.models.loaded_base import LoadedBase
from learning.training.cell import train_adapters
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, Training, TrainingOutcome, TrainingStep
from schemas.label import Label


def train_adapter(
    base: LoadedBase,
    headlines: Sequence[str],
    labels: Sequence[Label],
    recipe: Recipe,
    adapter_folder: Path,
    *,
    store: CheckpointStore | None = None,
    on_step: Callable[[TrainingStep], None] = lambda _: None,
    notify: Callable[[str], None] = lambda _: None,
) -> TrainingOutcome:
    """Fine-tune one adapter; see `train_adapters` and `Training`."""
    training = Training(recipe, adapter_folder, store, on_step)
    [outcome] = train_adapters(base, headlines, labels, [training], notify=notify)
    return outcome

"""A base keeps the pass of trainings side by side for the next ones, which are planned with its memory."""

from pathlib import Path

from embedded.paths import MODEL_FOLDER
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.training.cell import train_adapters
from learning.training.recipe import Recipe, Training
from learning.training.shared_pass import count_kept
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import LABELS


def test_the_kept_pass_counts_for_trainings_with_the_same_adapters(tmp_path: Path) -> None:
    base, lora = LoadedBase(MODEL_FOLDER, "none", choose_device()), LoraSettings(r=4, alpha=8, dropout=0.0)
    assert count_kept(base, lora) == 0
    settings = TrainingSettings(loss="completion", schedule="constant", epochs=1, batch_size=3, side_by_side=2)
    trainings = [
        Training(
            Recipe(PromptSettings(), lora, settings.model_copy(update={"learning_rate": rate})), tmp_path / str(rate)
        )
        for rate in (1e-3, 2e-3)
    ]
    train_adapters(base, ["Profit fell", "The meeting is in May", "Sales rose"], LABELS, trainings)
    assert count_kept(base, lora) == 2
    assert count_kept(base, lora.model_copy(update={"r": 8})) == 0

"""An adapter that is trained on a GPU changes, and its base does not, however many adapters are trained on it."""

from pathlib import Path
from typing import Any

import pytest
import torch

from embedded.paths import MODEL_FOLDER
from learning.models import loaded_base
from learning.models.device import Device, start_peak_memory
from learning.models.loaded_base import LoadedBase
from learning.training.recipe import Recipe
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from tests.adapters import train_adapter
from tests.gpu.rounding import ADAPTER, largest_difference, load_weights
from tests.learning.models.families import write_family

pytestmark = pytest.mark.gpu

Labelled = tuple[list[str], list[Label]]


def recipe(learning_rate: float, epochs: int = 1) -> Recipe:
    """A recipe with dropout, to make random numbers matter, and without a warm-up, whose first step changes nothing."""
    training = TrainingSettings(
        loss="completion", schedule="constant", warmup_ratio=0, learning_rate=learning_rate, epochs=epochs, seed=7
    )
    return Recipe(PromptSettings(), LoraSettings(r=8, dropout=0.1), training)


def copy_tensors(base: LoadedBase) -> dict[str, torch.Tensor]:
    """All tensors of the base, including the scales of its 4-bit weights."""
    return {name: tensor.detach().clone() for name, tensor in base.model.state_dict().items()}


def check_equal(base: LoadedBase, before: dict[str, torch.Tensor]) -> None:
    after = base.model.state_dict()
    assert after.keys() == before.keys()
    assert [name for name, tensor in before.items() if not torch.equal(after[name], tensor)] == []


@pytest.mark.parametrize("memory", ["as it is", "none for whole weights"])
def test_a_step_changes_the_adapter_and_no_tensor_of_the_base(
    device: Device, labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    if memory != "as it is":
        monkeypatch.setattr(loaded_base, "free_memory_bytes", lambda _: 0)
    base = LoadedBase(MODEL_FOLDER, "nf4", device)
    before = copy_tensors(base)
    outcome = train_adapter(base, labelled[0][:8], labelled[1][:8], recipe(1e-3), tmp_path / "adapter")
    check_equal(base, before)
    assert [step.step for step in outcome.log] == [1]
    assert outcome.environment["batches"] == "packed"
    assert not outcome.diverged
    drawn = {name: weight for name, weight in load_weights(tmp_path / "adapter").items() if "lora_B" in name}
    assert drawn
    assert [name for name, weight in drawn.items() if not weight.any()] == []


def test_a_model_that_reads_a_tensors_value_in_its_pass_trains_and_leaves_cuda_usable(
    device: Device, labelled: Labelled, tmp_path: Path
) -> None:
    base = LoadedBase(write_family("llama whose rotation grows", tmp_path / "model"), "none", device)
    notes: list[str] = []
    for name in ("first", "second"):
        folder = tmp_path / name
        outcome = train_adapter(base, labelled[0][:16], labelled[1][:16], recipe(1e-3), folder, notify=notes.append)
        assert outcome.environment["batches"] == "packed"
        assert not outcome.diverged
        start_peak_memory(device)
    assert any("cannot be recorded" in note for note in notes) is (device.name == "cuda")


def test_a_second_cell_on_the_same_base_has_the_weights_of_one_on_a_fresh_base(
    device: Device, labelled: Labelled, tmp_path: Path
) -> None:
    def train(base: LoadedBase, learning_rate: float, name: str) -> Any:
        train_adapter(base, *labelled, recipe(learning_rate, 2), tmp_path / name, notify=notes.append)
        return load_weights(tmp_path / name)

    notes: list[str] = []
    base = LoadedBase(MODEL_FOLDER, "nf4", device)
    before = copy_tensors(base)
    first, second = train(base, 1e-2, "first"), train(base, 1e-3, "second")
    base.release()
    check_equal(base, before)
    alone = train(LoadedBase(MODEL_FOLDER, "nf4", device), 1e-3, "alone")
    assert largest_difference(second, alone) < ADAPTER[device.dtype]
    assert largest_difference(first, alone) > 1
    assert [note for note in notes if "cannot be recorded" in note] == []

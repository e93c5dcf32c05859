"""A GPU records a pass only if it reads no tensor's value; whether it does shows on every device."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from embedded.paths import MODEL_FOLDER
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.prompt.encoding import encode_examples
from learning.training import probe, shared_pass
from learning.training.recipe import Recipe
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from tests.learning.models.families import write_family
from tests.learning.training.side_by_side import check_same, recipe, set_side_by_side, train

RECIPE = Recipe(
    PromptSettings(),
    LoraSettings(r=4, dropout=0.1),
    TrainingSettings(loss="completion", schedule="constant", learning_rate=1e-3, epochs=1, seed=7),
)
STACKED = (
    "llama with grouped heads",
    "gpt-neox",
    "qwen2",
    "mistral",
    "granite, which scales its logits",
    "gemma3, for text only",
    "falcon",
    "gemma3 with a window",
    "mistral with a window",
    "gpt-neo with a window",
)
GROWING = "llama whose rotation grows"
READS = {"aten._local_scalar_dense.default", "aten.nonzero.default", "aten.masked_select.default"}
"""What torch calls where Python needs a tensor's value, or a shape that depends on one."""


class Reading(TorchDispatchMode):
    """Notes which calls read a tensor's value."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def __torch_dispatch__(self, called: Any, _: Any, args: Any = (), given: Any = None) -> Any:
        self.reads += [str(called)] if str(called) in READS else []
        return called(*args, **(given or {}))


@pytest.mark.slow
@pytest.mark.parametrize("family", [*STACKED, GROWING])
def test_a_shared_pass_of_these_families_can_be_recorded(
    family: str, labelled: tuple[list[str], list[Label]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = LoadedBase(write_family(family, tmp_path / "model"), "none", choose_device())
    compute, mode = shared_pass._Pass.compute, Reading()

    def note_reads(*args: Any) -> torch.Tensor:
        with mode:
            return compute(*args)

    monkeypatch.setattr(shared_pass._Pass, "compute", note_reads)
    examples = encode_examples(*labelled, base.tokenizer, RECIPE.prompt)
    assert probe.takes_stacks(base, RECIPE, examples, 0, pytest.fail)
    assert bool(mode.reads) is (family == GROWING)


@pytest.mark.slow
def test_a_pass_that_cannot_be_recorded_is_computed_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = LoadedBase(MODEL_FOLDER, "nf4", choose_device())
    recipes = set_side_by_side([recipe(1e-3, dropout=0.1), recipe(2e-4, dropout=0.1)], 2)
    expected = train(base, tmp_path / "computed", recipes)
    begin, rehearsed = shared_pass._Pass.__init__, []

    def record(self: Any, *args: Any) -> None:
        begin(self, *args)
        self._records = True

    def read_a_value(compute: Callable[[], torch.Tensor]) -> None:
        rehearsed.append(compute())
        raise RuntimeError("called a synchronizing CUDA operation")

    monkeypatch.setattr(base, "kept", None)
    monkeypatch.setattr(shared_pass._Pass, "__init__", record)
    monkeypatch.setattr(shared_pass, "rehearse", read_a_value)
    notes: list[str] = []
    unrecorded = train(base, tmp_path / "unrecorded", recipes, notify=notes.append)
    assert len(rehearsed) == 1
    [note] = notes
    assert "cannot be recorded" in note
    assert note.endswith("called a synchronizing CUDA operation")
    for one, other in zip(unrecorded, expected, strict=True):
        check_same(one, other)

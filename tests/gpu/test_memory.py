"""Memory of a GPU: the peak is the allocator's, and if memory runs out the pass is halved and the batch stays."""

import gc
from pathlib import Path
from typing import Any

import pytest
import torch

from embedded.paths import MODEL_FOLDER
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.training.recipe import Recipe, TrainingOutcome
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from tests.adapters import train_adapter

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("card")]

Labelled = tuple[list[str], list[Label]]
COPIES = 16
BATCH = 640
"""Headlines; a pass over half of them takes at most half of the memory, since a mask grows with the square."""
SHARE = 0.7
"""The memory that is available, as a share of the memory of a pass over all headlines."""


@pytest.fixture(scope="module")
def base() -> LoadedBase:
    return LoadedBase(MODEL_FOLDER, "nf4", choose_device())


def train(base: LoadedBase, labelled: Labelled, adapter: Path, micro_batch_size: int, **more: Any) -> TrainingOutcome:
    """One step over the whole text of all headlines, with all activations in memory."""
    settings = TrainingSettings(
        loss="whole-text",
        schedule="constant",
        warmup_ratio=0,
        batch_size=BATCH,
        micro_batch_size=micro_batch_size,
        gradient_checkpointing=False,
        learning_rate=1e-3,
        epochs=1,
        seed=7,
    )
    recipe = Recipe(PromptSettings(), LoraSettings(r=4, dropout=0.0), settings)
    return train_adapter(base, labelled[0] * COPIES, labelled[1] * COPIES, recipe, adapter, **more)


def test_memory_that_runs_out_halves_the_pass_and_keeps_the_batch(
    base: LoadedBase, labelled: Labelled, tmp_path: Path
) -> None:
    train(
        base, labelled, tmp_path / "first", BATCH
    )  # it tries a pack of the longest headline, and remembers the result
    base.kept = None
    gc.collect()
    held = torch.cuda.memory_allocated()
    whole = train(base, labelled, tmp_path / "whole", BATCH)
    assert (whole.memory_errors, whole.micro_batch_size) == (0, BATCH)
    base.kept = None
    gc.collect()
    torch.cuda.empty_cache()
    capped = torch.cuda.memory_reserved() + SHARE * (whole.peak_memory_bytes - held)
    total = torch.cuda.get_device_properties().total_memory
    lines: list[str] = []
    try:
        torch.cuda.set_per_process_memory_fraction(capped / total)
        outcome = train(base, labelled, tmp_path / "capped", BATCH, notify=lines.append)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert outcome.memory_errors >= 1
    assert outcome.micro_batch_size == BATCH / 2**outcome.memory_errors
    assert len(lines) == outcome.memory_errors
    assert lines[0] == f"out of memory with {BATCH} headlines a pass: {BATCH // 2} from here on, batches stay {BATCH}"
    assert [step.step for step in outcome.log] == [1]
    assert not outcome.diverged
    assert outcome.log[0].loss == pytest.approx(whole.log[0].loss, rel=0.01)
    assert outcome.log[0].grad_norm == pytest.approx(whole.log[0].grad_norm, rel=0.1)


def test_the_peak_of_a_training_is_what_the_allocator_counted(labelled: Labelled, tmp_path: Path) -> None:
    base = LoadedBase(MODEL_FOLDER, "nf4", choose_device())
    gc.collect()
    held = torch.cuda.memory_allocated()
    outcome = train(base, labelled, tmp_path / "adapter", BATCH // 8)
    assert 0 < held < outcome.peak_memory_bytes <= torch.cuda.max_memory_allocated()
    larger = train(base, labelled, tmp_path / "larger", BATCH // 4)
    assert larger.peak_memory_bytes > outcome.peak_memory_bytes

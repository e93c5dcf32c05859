"""An encoder on a GPU: trained with all weights or an adapter, scored, and continued from a pause."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from learning.models.device import choose_device, total_memory_bytes
from learning.models.fine_tune import FineTune
from learning.prompt.decoding import Decoding
from schemas.cell import PromptSettings
from schemas.label import LABELS, Label
from tests.gpu.rounding import ADAPTER, largest_difference
from tests.learning.models.encoders import load, make_encoder, train

pytestmark = pytest.mark.gpu

Labelled = tuple[list[str], list[Label]]
LEARNT = 0.9
"""Least accuracy on the training headlines after some epochs; the largest class has less than half of them."""
FROM_CPU = 1e-3
"""Tolerance for a probability in float32, computed by other kernels."""


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("encoder") / "bert")


def test_a_fine_tuned_encoder_has_learnt_and_answers_as_transformers_does_on_a_cpu(
    bert: Path, labelled: Labelled, tmp_path: Path
) -> None:
    outcome = train(bert, labelled, tmp_path / "trained", epochs=100, learning_rate=3e-3)
    assert outcome.environment["device"] == choose_device().name
    assert 0 < outcome.peak_memory_bytes < total_memory_bytes(choose_device())
    found = load(bert).probabilities(
        FineTune(tmp_path / "trained", outcome.adapter_hash),
        labelled[0],
        PromptSettings(),
        [Decoding(1.0, None, None)],
        lambda _: None,
    )
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "trained")
    tokenizer = AutoTokenizer.from_pretrained(bert)
    with torch.no_grad():
        logits = torch.cat([plain(**tokenizer(text, return_tensors="pt")).logits for text in labelled[0]])
    np.testing.assert_allclose(found.sampled[:, 0, :3], logits.double().softmax(dim=-1), atol=FROM_CPU)
    numbers = torch.tensor([LABELS.index(label) for label in labelled[1]])
    assert (found.argmax == numbers).float().mean() >= LEARNT


def test_lora_moves_every_adapter(bert: Path, labelled: Labelled, tmp_path: Path) -> None:
    train(bert, labelled, tmp_path / "trained", method="lora")
    weights = load_file(tmp_path / "trained" / "adapter_model.safetensors")
    moved = {name: bool(weight.any()) for name, weight in weights.items() if "lora_B" in name}
    assert moved
    assert all(moved.values())


def test_a_paused_training_continues_to_the_weights_of_an_undisturbed_one(
    bert: Path, labelled: Labelled, tmp_path: Path
) -> None:
    exact: dict[str, Any] = {"precision": "float32", "epochs": 2}
    train(bert, labelled, tmp_path / "paused", store=tmp_path / "store", pause_epoch=1, **exact)
    outcome = train(bert, labelled, tmp_path / "continued", store=tmp_path / "store", **exact)
    whole = train(bert, labelled, tmp_path / "whole", **exact)
    assert outcome.first_step == whole.steps // 2
    continued, undisturbed = (
        {
            name: weight
            for name, weight in load_file(tmp_path / folder / "model.safetensors").items()
            if not name.endswith("key.bias")  # it changes no attention: its gradient is rounding alone
        }
        for folder in ("continued", "whole")
    )
    assert largest_difference(continued, undisturbed) < ADAPTER[torch.float32]

"""Training a cell: the adapter moves, the 4-bit base does not, and the seed decides everything."""

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from learning.training import TrainingOutcome, TrainingStep, train_adapter
from schemas.config import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label

Labelled = tuple[list[str], list[Label]]


def train(
    labelled: Labelled, folder: Path, adapter: Path, **changes: Any
) -> tuple[TrainingOutcome, list[TrainingStep]]:
    steps: list[TrainingStep] = []
    arguments: dict[str, Any] = {
        "quantization": "nf4",
        "prompt": PromptSettings(),
        "lora": LoraSettings(r=8, dropout=0.1),
        "training": TrainingSettings(loss="completion", schedule="constant", batch_size=8, micro_batch_size=4),
        "learning_rate": 1e-3,
        "epochs": 1,
        "seed": 7,
    }
    return train_adapter(*labelled, folder, adapter, **{**arguments, **changes}, on_step=steps.append), steps


def weights(adapter: Path) -> dict[str, torch.Tensor]:
    return load_file(adapter / "adapter_model.safetensors")


def test_training_moves_the_adapter_and_leaves_the_four_bit_base(
    labelled: Labelled, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from learning import training

    bases: list[Any] = []
    before: list[dict[str, str]] = []

    def load_and_keep(*arguments: Any) -> Any:
        bases.append(training_load(*arguments))
        before.append(fingerprint(bases[0]))
        return bases[0]

    training_load = training.load_model
    monkeypatch.setattr(training, "load_model", load_and_keep)
    train(labelled, tiny_folder, tmp_path / "adapter")

    assert any(name.endswith("quant_state.bitsandbytes__nf4") or "absmax" in name for name in before[0])
    assert fingerprint(bases[0]) == before[0]
    moved = {name: weight for name, weight in weights(tmp_path / "adapter").items() if "lora_B" in name}
    assert len(moved) == 2 * 7
    assert all(weight.abs().max() > 0 for weight in moved.values())
    assert {weight.dtype for weight in moved.values()} == {torch.float32}


def fingerprint(model: Any) -> dict[str, str]:
    """A hash of each weight and quantisation scale of the base, adapters left out."""
    return {
        name.replace("base_layer.", "").replace("base_model.model.", ""): hashlib.sha256(
            tensor.contiguous().view(torch.uint8).numpy().tobytes()
        ).hexdigest()
        for name, tensor in model.state_dict().items()
        if "lora" not in name
    }


def test_the_same_seed_gives_the_same_adapter_bit_for_bit(
    labelled: Labelled, tiny_folder: Path, tmp_path: Path
) -> None:
    train(labelled, tiny_folder, tmp_path / "one")
    train(labelled, tiny_folder, tmp_path / "two")
    train(labelled, tiny_folder, tmp_path / "other", seed=8)
    one, two, other = (weights(tmp_path / name) for name in ("one", "two", "other"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


def test_a_micro_batch_changes_memory_and_not_the_adapter(
    labelled: Labelled, tiny_folder: Path, tmp_path: Path
) -> None:
    settings = TrainingSettings(loss="whole-text", schedule="cosine", batch_size=8, micro_batch_size=8)
    still = LoraSettings(r=8, dropout=0.0)
    train(labelled, tiny_folder, tmp_path / "whole", training=settings, lora=still)
    halves = settings.model_copy(update={"micro_batch_size": 2})
    train(labelled, tiny_folder, tmp_path / "halves", training=halves, lora=still)
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    for name in whole:
        assert torch.linalg.norm(whole[name] - parts[name]) <= 1e-2 * torch.linalg.norm(whole[name]), name


def test_every_step_is_told_and_logged(labelled: Labelled, tiny_folder: Path, tmp_path: Path) -> None:
    outcome, told = train(labelled, tiny_folder, tmp_path / "adapter", epochs=2)
    assert list(outcome.log) == told
    assert [step.step for step in told] == list(range(1, 11))
    assert {step.steps for step in told} == {10}
    assert told[-1].epoch == 2.0
    assert all(math.isfinite(step.loss) and step.grad_norm > 0 for step in told)
    assert outcome.environment["optimizer"] == "adamw_torch"


def test_the_schedule_warms_up_and_then_keeps_or_lowers_the_rate(
    labelled: Labelled, tiny_folder: Path, tmp_path: Path
) -> None:
    constant = TrainingSettings(loss="completion", schedule="constant", warmup_ratio=0.4)
    _, steps = train(labelled, tiny_folder, tmp_path / "constant", training=constant, epochs=2)
    assert [step.learning_rate for step in steps] == pytest.approx([0.0, 5e-4, *[1e-3] * 8])
    cosine = constant.model_copy(update={"schedule": "cosine", "warmup_ratio": 0.2})
    _, steps = train(labelled, tiny_folder, tmp_path / "cosine", training=cosine, epochs=2)
    rates = [step.learning_rate for step in steps]
    assert rates[2] == pytest.approx(1e-3)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] < 1e-4


def test_a_loss_that_is_no_number_ends_the_training(labelled: Labelled, tiny_folder: Path, tmp_path: Path) -> None:
    outcome, steps = train(labelled, tiny_folder, tmp_path / "adapter", learning_rate=1e30, epochs=3)
    assert outcome.diverged
    assert len(steps) < 15
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_an_adapter_appears_whole_or_not_at_all(labelled: Labelled, tiny_folder: Path, tmp_path: Path) -> None:
    def die(step: TrainingStep) -> None:
        raise RuntimeError(f"killed at step {step.step}")

    with pytest.raises(RuntimeError, match="killed at step 1"):
        train_adapter(
            *labelled,
            tiny_folder,
            tmp_path / "adapter",
            quantization="nf4",
            prompt=PromptSettings(),
            lora=LoraSettings(),
            training=TrainingSettings(loss="completion", schedule="constant"),
            learning_rate=1e-3,
            epochs=1,
            seed=1,
            on_step=die,
        )
    assert list(tmp_path.iterdir()) == []

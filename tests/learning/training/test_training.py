"""Training a cell: the adapter moves, the base does not, and the seed decides everything."""

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, BloomConfig, TrainerControl, TrainerState, TrainingArguments

from embedded.paths import MODEL_FOLDER
from learning.models import loaded_base
from learning.models.base_model import load_tokenizer
from learning.models.device import choose_device
from learning.models.fine_tune import FineTune
from learning.models.loaded_base import LoadedBase
from learning.prompt.encoding import encode_examples
from learning.training.callbacks import DivergenceWatch
from learning.training.recipe import Recipe, TrainingOutcome, TrainingStep
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from tests.adapters import train_adapter
from tests.learning.models.families import WINDOWS, write_family

Labelled = tuple[list[str], list[Label]]


def recipe(**changes: Any) -> Recipe:
    lora = changes.pop("lora", LoraSettings(r=8, dropout=0.1))
    defaults = {"learning_rate": 1e-3, "epochs": 1, "seed": 7, "loss": "completion", "schedule": "constant"}
    training = {**defaults, "batch_size": 8, "micro_batch_size": 4, **changes}
    return Recipe(PromptSettings(), lora, TrainingSettings.model_validate(training))


def train(
    labelled: Labelled, base: LoadedBase, adapter: Path, **changes: Any
) -> tuple[TrainingOutcome, list[TrainingStep]]:
    steps: list[TrainingStep] = []
    return train_adapter(base, *labelled, recipe(**changes), adapter, on_step=steps.append), steps


def weights(adapter: Path) -> dict[str, torch.Tensor]:
    return load_file(adapter / "adapter_model.safetensors")


@pytest.mark.parametrize("is_whole", [True, False], ids=["dequantised", "4-bit"])
def test_training_changes_the_adapter_and_not_the_base(
    labelled: Labelled, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_whole: bool
) -> None:
    monkeypatch.setattr(loaded_base, "free_memory_bytes", lambda _: 2**40 if is_whole else 0)
    loaded = LoadedBase(tiny_folder, "nf4", choose_device())
    before = fingerprint(loaded.model)
    assert loaded.is_whole is is_whole
    assert is_whole is not any("absmax" in name for name in before)
    train(labelled, loaded, tmp_path / "adapter")
    assert fingerprint(loaded.model) == before
    assert not any("lora" in name for name, _ in loaded.model.named_parameters())
    moved = {name: weight for name, weight in weights(tmp_path / "adapter").items() if "lora_B" in name}
    assert len(moved) == 2 * 7
    assert all(weight.abs().max() > 0 for weight in moved.values())
    assert {weight.dtype for weight in moved.values()} == {torch.float32}


def test_dequantised_once_or_at_every_step_is_the_same_training(
    labelled: Labelled, tiny_folder: Path, tmp_path: Path, base: LoadedBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = LoraSettings(r=8, dropout=0.0)
    train(labelled, base, tmp_path / "once", lora=still)
    monkeypatch.setattr(loaded_base, "free_memory_bytes", lambda _: 0)
    train(labelled, LoadedBase(tiny_folder, "nf4", choose_device()), tmp_path / "always", lora=still)
    check_alike(tmp_path / "once", tmp_path / "always", 1e-3)


def test_a_mixture_of_experts_is_trained_in_packs_by_the_loss_of_its_answers_alone(
    labelled: Labelled, tmp_path: Path
) -> None:
    """Trl would add a loss that spreads tokens over the experts, and leave the base computing it."""
    loaded = LoadedBase(write_family("mixtral, a mixture of experts", tmp_path / "base"), "nf4", choose_device())
    examples = encode_examples(*labelled, loaded.tokenizer, PromptSettings())
    with torch.inference_mode():
        losses = [
            torch.nn.functional.cross_entropy(
                loaded.model(input_ids=ids[None]).logits[0, example.answer_start - 1 : -1], ids[example.answer_start :]
            ).item()
            for example in examples
            for ids in [torch.tensor(example.input_ids)]
        ]
    whole = {"batch_size": len(examples), "micro_batch_size": len(examples), "lora": LoraSettings(r=4, dropout=0.0)}
    for name in ("first", "second"):
        outcome, steps = train(labelled, loaded, tmp_path / name, epochs=2, **whole)
        assert outcome.environment["batches"] == "packed"
        assert steps[0].loss == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    check_alike(tmp_path / "first", tmp_path / "second", 1e-6)
    ranks = {weight.shape[0] for name, weight in weights(tmp_path / "first").items() if "lora_A" in name}
    assert ranks == {4, 16, 32}  # of attention, and of four experts in one tensor, or in one for two projections
    assert loaded.score_with(FineTune(tmp_path / "first", outcome.adapter_hash)) is not loaded.model


def check_alike(one: Path, other: Path, tolerance: float) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert torch.linalg.norm(weight - theirs[name]) <= tolerance * torch.linalg.norm(weight), name


def fingerprint(model: Any) -> dict[str, str]:
    """A hash of each weight and quantisation scale of the base, adapters left out."""
    return {
        name.replace("base_layer.", "").replace("base_model.model.", ""): hashlib.sha256(
            tensor.contiguous().view(torch.uint8).numpy().tobytes()
        ).hexdigest()
        for name, tensor in model.state_dict().items()
        if "lora" not in name
    }


def test_the_same_seed_gives_the_same_adapter_bit_for_bit(labelled: Labelled, base: LoadedBase, tmp_path: Path) -> None:
    train(labelled, base, tmp_path / "one")
    train(labelled, base, tmp_path / "two")
    train(labelled, base, tmp_path / "other", seed=8)
    one, two, other = (weights(tmp_path / name) for name in ("one", "two", "other"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


def test_a_micro_batch_changes_memory_and_not_the_adapter(labelled: Labelled, base: LoadedBase, tmp_path: Path) -> None:
    usual: dict[str, Any] = {"loss": "whole-text", "schedule": "cosine", "lora": LoraSettings(r=8, dropout=0.0)}
    train(labelled, base, tmp_path / "whole", micro_batch_size=8, **usual)
    train(labelled, base, tmp_path / "halves", micro_batch_size=2, **usual)
    check_alike(tmp_path / "whole", tmp_path / "halves", 1e-2)


def test_every_step_is_reported_and_logged(labelled: Labelled, base: LoadedBase, tmp_path: Path) -> None:
    outcome, steps = train(labelled, base, tmp_path / "adapter", epochs=2)
    assert list(outcome.log) == steps
    assert [step.step for step in steps] == list(range(1, 11))
    assert {step.steps for step in steps} == {10}
    assert steps[-1].epoch == 2.0
    assert all(math.isfinite(step.loss) and step.grad_norm > 0 for step in steps)
    assert outcome.environment["optimizer"] == "adamw_torch_fused"


def test_the_schedule_warms_up_and_then_keeps_or_lowers_the_rate(
    labelled: Labelled, base: LoadedBase, tmp_path: Path
) -> None:
    _, steps = train(labelled, base, tmp_path / "constant", warmup_ratio=0.4, epochs=2)
    assert [step.learning_rate for step in steps] == pytest.approx([0.0, 5e-4, *[1e-3] * 8])
    _, steps = train(labelled, base, tmp_path / "cosine", schedule="cosine", warmup_ratio=0.2, epochs=2)
    rates = [step.learning_rate for step in steps]
    assert rates[2] == pytest.approx(1e-3)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] < 1e-4


def test_the_outcome_records_how_the_adapter_was_computed(labelled: Labelled, base: LoadedBase, tmp_path: Path) -> None:
    outcome, _ = train(labelled, base, tmp_path / "adapter")
    recorded = outcome.environment
    assert (recorded["batches"], recorded["base_weights"], recorded["seed"]) == ("packed", "dequantised once", "7")
    assert (recorded["attention"], recorded["gradient_checkpointing"]) == ("sdpa", "false")
    assert (outcome.micro_batch_size, outcome.memory_errors, outcome.first_step) == (4, 0, 0)
    assert outcome.examples_per_second == pytest.approx(40 / outcome.seconds)
    assert outcome.tokens_per_second is not None
    assert outcome.tokens_per_second > 40 * outcome.examples_per_second


def test_a_loss_that_is_no_number_ends_the_training(labelled: Labelled, base: LoadedBase, tmp_path: Path) -> None:
    outcome, steps = train(labelled, base, tmp_path / "adapter", learning_rate=1e30, epochs=3)
    assert outcome.diverged
    assert len(steps) < 15
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


@pytest.mark.parametrize(
    ("losses", "diverged"), [([15.0] * 10, True), ([15.0] * 9, False), ([14.0] * 30, False), ([1.0] * 20 + [90], False)]
)
def test_a_loss_beyond_twice_that_of_guessing_for_ten_steps_is_a_divergence(losses: list[float], diverged: Any) -> None:
    """The loss of guessing among 1,536 tokens is 7.34 nats."""
    watch, control = DivergenceWatch(1_536), TrainerControl()
    state = TrainerState(log_history=[{"loss": loss} for loss in losses])
    watch.on_log(TrainingArguments(), state, control)
    assert watch.diverged is control.should_training_stop is diverged


def test_a_training_that_learns_nothing_is_not_diverged(labelled: Labelled, base: LoadedBase, tmp_path: Path) -> None:
    outcome, steps = train(labelled, base, tmp_path / "adapter", learning_rate=1e-9, epochs=3)
    assert not outcome.diverged
    assert len(steps) == 15


def test_an_adapter_appears_whole_or_not_at_all(labelled: Labelled, base: LoadedBase, tmp_path: Path) -> None:
    def die(step: TrainingStep) -> None:
        raise RuntimeError(f"killed at step {step.step}")

    with pytest.raises(RuntimeError, match="killed at step 1"):
        train_adapter(base, *labelled, recipe(), tmp_path / "adapter", on_step=die)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_takes_no_packs_trains_on_padded_batches_and_reports_it(
    labelled: Labelled, tmp_path: Path
) -> None:
    """BLOOM's attention counts positions in the sequence and ignores position ids."""
    torch.manual_seed(1)
    config = BloomConfig(vocab_size=1_536, hidden_size=64, n_layer=2, n_head=2)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "bloom")
    load_tokenizer(MODEL_FOLDER).save_pretrained(tmp_path / "bloom")
    bloom = LoadedBase(tmp_path / "bloom", "nf4", choose_device())
    lines: list[str] = []
    outcome = train_adapter(bloom, *labelled, recipe(), tmp_path / "adapter", notify=lines.append)
    assert lines == ["BloomForCausalLM takes no batches packed after one prefix: they are padded, several times slower"]
    assert outcome.environment["batches"] == "padded"
    assert len(outcome.log) == 5
    assert all(weight.abs().max() > 0 for name, weight in weights(tmp_path / "adapter").items() if "lora_B" in name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "spare", "batch_size", "packed"),
    [
        ("gpt-neo", 100, 2, True),
        ("gpt-neo", 100, 16, False),  # the last headlines of a pack would not see the instruction
        ("mistral", 100, 16, True),
        ("gpt-neo", -1, 2, False),  # the longest headline alone is longer than the window
        ("mistral", -1, 2, True),
        ("gemma3", -20, 16, True),
        ("gemma3", 0, 2, True),
    ],
)
def test_packs_are_used_where_a_window_of_the_attention_holds_them_or_is_masked(
    labelled: Labelled, tmp_path: Path, family: str, spare: int, batch_size: int, *, packed: bool
) -> None:
    torch.manual_seed(1)
    examples = encode_examples(*labelled, load_tokenizer(MODEL_FOLDER), PromptSettings())
    window = max(len(example.input_ids) for example in examples) + spare
    model = AutoModelForCausalLM.from_config(WINDOWS[family](window), dtype=torch.float32)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    model.save_pretrained(tmp_path / "base")
    load_tokenizer(MODEL_FOLDER).save_pretrained(tmp_path / "base")
    base = LoadedBase(tmp_path / "base", "none", choose_device())
    in_one_pass = recipe(batch_size=batch_size, micro_batch_size=batch_size)
    outcome = train_adapter(base, *labelled, in_one_pass, tmp_path / "adapter")
    assert outcome.environment["batches"] == ("packed" if packed else "padded")

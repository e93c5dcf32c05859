"""The scoring model has whole weights if memory allows, else quantised ones, and answers the same with both."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from embedded.paths import MODEL_FOLDER
from learning.models import loaded_base
from learning.models.adapter import attach_new_adapter, attach_saved_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device
from learning.models.fine_tune import FineTune
from learning.models.loaded_base import LoadedBase
from learning.models.saving import save_fine_tune
from learning.prompt.decoding import Decoding, find_answers
from learning.scoring import scoring
from learning.scoring.scoring import find_token_budget, score_headlines
from learning.training.recipe import Recipe
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from tests.adapters import train_adapter

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=2_000)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter") / "cell"
    drawn = attach_new_adapter(load_model(MODEL_FOLDER, "nf4", CPU), r=4, alpha=16, dropout=0.1, seed=1)
    for name, weight in drawn.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05, generator=torch.Generator().manual_seed(len(name)))
    save_fine_tune(drawn, folder)
    return folder


def kinds(model: torch.nn.Module) -> set[str]:
    return {type(layer).__name__ for layer in model.modules()}


def test_without_memory_for_whole_weights_the_quantised_ones_score_the_same(
    adapter: Path, labelled: tuple[list[str], list[Label]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LoadedBase(MODEL_FOLDER, "nf4", CPU).score_with(FineTune(adapter))
    monkeypatch.setattr(loaded_base, "free_memory_bytes", lambda _: 16 * whole.num_parameters() - 1)
    quantised = LoadedBase(MODEL_FOLDER, "nf4", CPU).score_with(FineTune(adapter))
    assert "Linear4bit" not in kinds(whole)
    assert "Linear4bit" in kinds(quantised)
    tokenizer, prompt = load_tokenizer(MODEL_FOLDER), PromptSettings()
    one, other = (
        score_headlines(
            model,
            tokenizer,
            find_answers(model, tokenizer, prompt),
            labelled[0],
            prompt,
            [Decoding(1.0, 50, None)],
            batch_tokens=2_000,
            on_batch=lambda _: None,
        )
        for model in (whole, quantised)
    )
    assert torch.equal(one.argmax, other.argmax)
    assert (one.sampled - other.sampled).abs().max() < 1e-5


@pytest.mark.slow
def test_a_training_on_a_base_does_not_change_what_it_scores_later(
    adapter: Path, labelled: tuple[list[str], list[Label]], tmp_path: Path
) -> None:
    base, ids = LoadedBase(MODEL_FOLDER, "nf4", CPU), torch.tensor([[5, 6, 7]])
    settings = TrainingSettings(loss="completion", schedule="constant", learning_rate=1e-2, epochs=1, seed=7)
    recipe = Recipe(PromptSettings(), LoraSettings(r=8, dropout=0.0), settings)
    train_adapter(base, *labelled, recipe, tmp_path / "trained")
    trained = FineTune(tmp_path / "trained")
    for fine_tune in (trained, None, FineTune(adapter), trained):
        with torch.inference_mode():
            used = base.score_with(fine_tune)(input_ids=ids).logits
            fresh = LoadedBase(MODEL_FOLDER, "nf4", CPU).score_with(fine_tune)(input_ids=ids).logits
        assert torch.equal(used, fresh)


def test_an_adapter_changes_what_the_base_answers(adapter: Path) -> None:
    base = LoadedBase(MODEL_FOLDER, "nf4", CPU).score_with(None)
    tuned = LoadedBase(MODEL_FOLDER, "nf4", CPU).score_with(FineTune(adapter))
    ids = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        assert (base(input_ids=ids).logits - tuned(input_ids=ids).logits).abs().max() > 0.01


def test_the_token_budget_is_the_devices_unless_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LoadedBase(MODEL_FOLDER, "none", CPU).score_with(None)
    monkeypatch.setattr(scoring, "free_memory_bytes", lambda _: 2**40)
    assert find_token_budget(model, CPU) == 2_000
    monkeypatch.setattr(scoring, "free_memory_bytes", lambda _: 2**23)
    short = find_token_budget(model, CPU)
    assert 0 < short < 2_000
    monkeypatch.setattr(scoring, "free_memory_bytes", lambda _: 2**22)
    assert find_token_budget(model, CPU) == pytest.approx(short / 2, abs=1)


def test_the_token_budget_of_a_large_model_follows_from_its_operations() -> None:
    model = LoadedBase(MODEL_FOLDER, "none", CPU).score_with(None)
    a_token = 2 * model.num_parameters()
    assert find_token_budget(model, replace(CPU, scoring_flops=500.0 * a_token)) == 500
    assert find_token_budget(model, replace(CPU, scoring_flops=5_000.0 * a_token)) == 2_000


def test_in_bfloat16_an_adapter_is_kept_apart_from_whole_weights_and_has_its_effect(adapter: Path) -> None:
    base = LoadedBase(MODEL_FOLDER, "nf4", replace(CPU, dtype=torch.bfloat16))
    assert base.is_whole
    ids = torch.arange(3, 60)[None]
    reference = attach_saved_adapter(load_model(MODEL_FOLDER, "nf4", CPU), adapter)
    with torch.inference_mode():
        plain, expected = base.model(ids).logits.float(), reference(ids).logits
        measured = base.score_with(FineTune(adapter))(ids).logits.float()
    assert (measured - expected).abs().max() < 0.05 * expected.abs().max()
    assert (measured - expected).abs().mean() < 0.1 * (plain - expected).abs().mean()

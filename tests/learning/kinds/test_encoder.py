"""Encoders: trained, scored, resumed and checked like any other kind of model."""

import json
import shutil
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from learning.kinds.encoder import KIND, EncoderModel
from learning.kinds.registry import find_kind
from learning.kinds.resolution import resolve_base_model
from learning.models.adapter_files import AdapterError
from learning.models.device import choose_device
from learning.models.encoder import attach_encoder_adapter, load_encoder, load_fine_tuned
from learning.prompt.decoding import Decoding, LabelProbabilities
from learning.prompt.not_finite import NotFiniteError
from learning.training import stopping
from learning.training.length_batches import LengthBatches
from learning.training.recipe import TrainingStep
from learning.training.stopping import TrainingStoppedError, request_stop
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.errors import InputError
from schemas.label import LABELS, Label
from tests.learning.models.encoders import FAMILIES, load, make_encoder, train

Labelled = tuple[list[str], list[Label]]
COLD, WARM = Decoding(0.5, 50, None), Decoding(2.0, 50, None)


def find_probabilities(
    model: EncoderModel, headlines: list[str], fine_tune: Path | None, *decodings: Decoding
) -> LabelProbabilities:
    tuned = (fine_tune, None) if fine_tune else None
    return model.probabilities(tuned, headlines, PromptSettings(), decodings or (COLD,), lambda _: None)


def logits_of(folder: Path, tokenizer_folder: Path, headlines: list[str]) -> torch.Tensor:
    """The logits of transformers without fintone, [N, 3]."""
    model, tokenizer = (
        AutoModelForSequenceClassification.from_pretrained(folder),
        AutoTokenizer.from_pretrained(tokenizer_folder),
    )
    with torch.no_grad():
        return torch.cat([model(**tokenizer(text, return_tensors="pt")).logits for text in headlines]).double()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_trained_and_answers_as_transformers_does(
    family: str, labelled: Labelled, tmp_path: Path
) -> None:
    folder = make_encoder(tmp_path / "base", family)
    assert find_kind(folder) is KIND
    KIND.check_folder(folder)
    texts, labels = labelled[0][:12], labelled[1][:12]
    outcome = train(folder, (texts, labels), tmp_path / "trained")
    assert outcome.steps == 2
    assert outcome.adapter_hash == KIND.check_fine_tune(tmp_path / "trained", outcome.adapter_hash)
    found = find_probabilities(load(folder), texts, tmp_path / "trained", COLD, WARM)
    logits = logits_of(tmp_path / "trained", folder, texts)
    for column, decoding in enumerate((COLD, WARM)):
        expected = (logits / decoding.temperature).softmax(dim=-1)
        np.testing.assert_allclose(found.sampled[:, column, :3], expected, atol=1e-5)
    assert not found.sampled[..., 3].any()
    assert found.argmax.tolist() == logits.argmax(dim=-1).tolist()


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("encoder") / "bert")


def test_lora_trains_adapter_and_head_and_not_the_encoder(bert: Path, labelled: Labelled, tmp_path: Path) -> None:
    outcome = train(bert, labelled, tmp_path / "trained", method="lora")
    assert sorted(file.name for file in (tmp_path / "trained").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    names = load_file(tmp_path / "trained" / "adapter_model.safetensors")
    assert {name.split(".")[-2] for name in names if "lora" not in name} == {"classifier", "dense"}  # head and pooler
    moved = [weight for name, weight in names.items() if "lora_B" in name]
    assert moved
    assert all(weight.any() for weight in moved)
    assert KIND.check_fine_tune(tmp_path / "trained", outcome.adapter_hash)
    adapted = attach_encoder_adapter(load_encoder(bert, choose_device(), 7), LoraSettings(r=4))
    trained = {name for name, weight in adapted.named_parameters() if weight.requires_grad}
    assert not any("lora" not in name and "modules_to_save" not in name for name in trained)
    answers = find_probabilities(load(bert), labelled[0], tmp_path / "trained")
    assert (answers.sampled - find_probabilities(load(bert), labelled[0], None).sampled).abs().max() > 1e-3


def test_a_seed_decides_the_head_and_the_order(bert: Path, labelled: Labelled, tmp_path: Path) -> None:
    hashes = [
        train(bert, labelled, tmp_path / name, seed=seed).adapter_hash for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_loss_is_the_mean_over_the_batch_however_it_is_cut(bert: Path, labelled: Labelled, tmp_path: Path) -> None:
    fixed: dict[str, Any] = {"batch_size": 40, "learning_rate": 1e-4}
    whole = train(_without_dropout(bert, tmp_path), labelled, tmp_path / "whole", **fixed)
    parts = train(_without_dropout(bert, tmp_path), labelled, tmp_path / "parts", micro_batch_size=8, **fixed)
    assert parts.log[0].loss == pytest.approx(whole.log[0].loss, rel=1e-5)
    assert parts.log[0].grad_norm == pytest.approx(whole.log[0].grad_norm, rel=1e-4)
    weighted = train(_without_dropout(bert, tmp_path), labelled, tmp_path / "w", class_weights="balanced", **fixed)
    model, tokenizer = load_encoder(bert, choose_device(), 7), AutoTokenizer.from_pretrained(bert)
    with torch.no_grad():
        logits = torch.cat([model(**tokenizer(text, return_tensors="pt")).logits for text in labelled[0]])
    numbers = torch.tensor([LABELS.index(label) for label in labelled[1]])
    assert whole.log[0].loss == pytest.approx(float(cross_entropy(logits, numbers)), rel=1e-5)
    shares = numbers.bincount() / len(numbers)
    by_class = [float(cross_entropy(logits[numbers == each], numbers[numbers == each])) for each in range(3)]
    assert weighted.log[0].loss == pytest.approx(sum(by_class) / 3, rel=1e-5)
    assert shares.max() > shares.min()  # else the weights would have no effect


def _without_dropout(folder: Path, tmp_path: Path) -> Path:
    other = Path(shutil.copytree(folder, tmp_path / "still", dirs_exist_ok=True))
    config = json.loads((other / "config.json").read_text())
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (other / "config.json").write_text(json.dumps({**config, **still}))
    return other


def test_a_stopped_training_continues_to_the_same_weights(
    bert: Path, labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_requested = Event()
    monkeypatch.setattr(stopping, "_requested", stop_requested)

    def stop_late(step: TrainingStep) -> None:
        if step.step == 7:  # in the second epoch
            assert request_stop()

    with pytest.raises(TrainingStoppedError):
        train(bert, labelled, tmp_path / "stopped", stop_late, tmp_path / "kept", epochs=2)
    stop_requested.clear()
    resumed = train(bert, labelled, tmp_path / "stopped", store=tmp_path / "kept", epochs=2)
    alone = train(bert, labelled, tmp_path / "alone", epochs=2)
    assert 5 < resumed.first_step < 10  # within the second epoch
    assert resumed.adapter_hash == alone.adapter_hash
    assert [step.loss for step in resumed.log] == [step.loss for step in alone.log]


def test_a_longer_cell_continues_from_a_shorter_one(bert: Path, labelled: Labelled, tmp_path: Path) -> None:
    train(bert, labelled, tmp_path / "one", store=tmp_path / "kept", epochs=1)
    longer = train(bert, labelled, tmp_path / "two", store=tmp_path / "kept", epochs=2)
    assert longer.first_step == 5
    assert longer.adapter_hash == train(bert, labelled, tmp_path / "alone", epochs=2).adapter_hash


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_training_that_pauses_after_an_epoch_continues_to_the_same_weights(
    bert: Path, labelled: Labelled, tmp_path: Path, schedule: str
) -> None:
    """A race evaluates its cells at such a pause."""
    settings: dict[str, Any] = {"epochs": 2, "schedule": schedule}
    paused = train(bert, labelled, tmp_path / "paused", store=tmp_path / "kept", pause_epoch=1, **settings)
    assert (paused.first_step, paused.steps) == (0, 5)
    assert (tmp_path / "paused" / "model.safetensors").exists()
    resumed = train(bert, labelled, tmp_path / "resumed", store=tmp_path / "kept", **settings)
    assert resumed.first_step == 5
    assert resumed.adapter_hash == train(bert, labelled, tmp_path / "alone", **settings).adapter_hash


def test_batches_are_of_like_length_and_every_example_is_seen_once() -> None:
    lengths = np.random.default_rng(1).integers(5, 60, 300).tolist()
    batches = LengthBatches(lengths, 8, seed=3)
    first = list(batches)
    assert sorted(first) == list(range(300))
    assert first == list(LengthBatches(lengths, 8, seed=3))
    batches.set_epoch(1)
    assert sorted(batches) == sorted(first)
    assert list(batches) != first
    padded = sum(8 * max(lengths[number] for number in first[start : start + 8]) for start in range(0, 296, 8))
    assert padded < 1.05 * sum(lengths)
    other_seed = list(LengthBatches(lengths, 8, seed=4))
    assert other_seed not in (first, list(batches))
    shortest = [lengths[number] for number in first[:296:8]]
    assert shortest != sorted(shortest)
    assert [lengths[number] for number in first[296:]] == sorted(lengths)[296:]  # the short batch is the last


def test_an_untouched_base_with_labels_of_sentiment_answers_with_them(labelled: Labelled, tmp_path: Path) -> None:
    folder = make_encoder(tmp_path / "finbert", labels=["Positive", "NEG", "Neutral"])
    assert KIND.answers_untouched(folder)
    assert not KIND.answers_untouched(make_encoder(tmp_path / "plain"))
    found = find_probabilities(load(folder), labelled[0], None, Decoding(1.0, None, None))
    expected = logits_of(folder, folder, labelled[0]).softmax(dim=-1)[:, [1, 2, 0]]
    np.testing.assert_allclose(found.sampled[:, 0, :3], expected, atol=1e-5)
    train(folder, labelled, tmp_path / "trained")
    named = json.loads((tmp_path / "trained" / "config.json").read_text())["id2label"]
    assert named == {"0": "positive", "1": "negative", "2": "neutral"}  # its head is trained further


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["NEGATIVE", "POSITIVE"], "its head has 2 labels (NEGATIVE, POSITIVE), not the three of sentiment"),
        (["neutral", "positive", "LABEL_2"], "label 2 of its head, 'LABEL_2', is none of negative, neutral, positive"),
        (["neg", "bearish", "pos"], "label 1 of its head, 'bearish', is a second word for one label"),
    ],
)
def test_a_head_of_other_labels_is_refused(labels: list[str], reason: str, tmp_path: Path) -> None:
    folder = make_encoder(tmp_path / "other", labels=labels)
    with pytest.raises(InputError) as error:
        resolve_base_model(str(folder), None, tmp_path)
    assert str(error.value).startswith(f"base model {folder}: {reason}")


def test_an_unfit_encoder_is_refused(bert: Path, tmp_path: Path) -> None:
    several = make_encoder(tmp_path / "several", labels=["negative", "neutral", "positive"])
    config = json.loads((several / "config.json").read_text())
    (several / "config.json").write_text(json.dumps({**config, "problem_type": "multi_label_classification"}))
    with pytest.raises(InputError, match="problem_type 'multi_label_classification', not one label a headline"):
        KIND.check_folder(several)
    torn = Path(shutil.copytree(bert, tmp_path / "torn"))
    weights = load_file(torn / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, torn / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"1 of the weights .* are not in its \*.safetensors"):
        load(torn)


def test_a_missing_pooler_is_drawn_from_the_seed(bert: Path, tmp_path: Path) -> None:
    """Encoders are often published without a pooler."""
    bare = Path(shutil.copytree(bert, tmp_path / "bare"))
    weights = {name: weight for name, weight in load_file(bare / "model.safetensors").items() if "pooler" not in name}
    save_file(weights, bare / "model.safetensors", {"format": "pt"})
    first, again, other = (load_encoder(bare, choose_device(), seed).bert.pooler.dense.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("family", "most"), [("bert", 64), ("roberta", 62)])
def test_long_headlines_are_found_before_training_and_cut_to_the_limit(family: str, most: int, tmp_path: Path) -> None:
    folder = make_encoder(tmp_path / "base", family)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = ["Profit rose", "up " * 70, "down " * 30]
    lengths = [len(ids) for ids in tokenizer(texts)["input_ids"]]
    too_long = KIND.find_too_long(folder, texts, PromptSettings(), lambda: folder)
    assert {place: found.tokens for place, found in too_long.items()} == {
        place: length for place, length in enumerate(lengths) if length > most
    }
    assert 1 in too_long
    assert too_long[1].bound == most
    model = load(folder)
    assert model.fits(texts, PromptSettings()).tolist() == [length <= most for length in lengths]
    cut = tokenizer.decode(tokenizer(texts[1], truncation=True, max_length=most)["input_ids"], skip_special_tokens=True)
    answers = find_probabilities(model, [texts[1], cut], None).sampled
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)


def test_a_base_that_is_gone_is_no_fault_of_the_adapter(bert: Path, labelled: Labelled, tmp_path: Path) -> None:
    texts, labels = labelled[0][:12], labelled[1][:12]
    train(bert, (texts, labels), tmp_path / "trained", method="lora")
    with pytest.raises(InputError, match=r"gone"):
        load_fine_tuned(tmp_path / "gone", tmp_path / "trained", None, choose_device())


def test_a_damaged_or_replaced_fine_tune_is_not_loaded(bert: Path, labelled: Labelled, tmp_path: Path) -> None:
    outcome = train(bert, labelled, tmp_path / "trained")
    weights = tmp_path / "trained" / "model.safetensors"
    tensors = load_file(weights)
    tensors["classifier.bias"] += 1
    save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(AdapterError, match="its files are not those that were trained"):
        KIND.check_fine_tune(tmp_path / "trained", outcome.adapter_hash)
    tensors["classifier.bias"] *= torch.nan
    save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(NotFiniteError):
        find_probabilities(load(bert), labelled[0], tmp_path / "trained")
    weights.unlink()
    with pytest.raises(AdapterError, match=r"model.safetensors is not there"):
        KIND.check_fine_tune(tmp_path / "trained", None)


def test_a_precision_without_effect_on_a_cpu_is_not_recorded(bert: Path) -> None:
    training = TrainingSettings(loss="completion", schedule="constant", precision="bfloat16")
    device = choose_device(training)
    if device.name != "cpu":
        pytest.skip("a GPU trains in this precision")
    assert EncoderModel(bert, device).device.dtype_name == "float32"


def test_settings_without_effect_on_an_encoder_do_not_make_another_cell() -> None:
    from schemas.overrides import apply_overrides
    from schemas.profiles import build_config, load_profile

    def settle(*assignments: str) -> Any:
        [cell] = build_config(apply_overrides({**load_profile("demo"), "grid": {}}, assignments)).resolve_all()
        return KIND.settle(cell)

    plain = settle()
    assert settle("prompt.instruction=Say it", "lora.r=3", "training.loss=whole-text") == plain
    assert settle("training.method=full", "base_model.quantization=none") == plain
    assert settle("training.method=lora", "lora.r=3") != settle("training.method=lora", "lora.r=4")
    assert settle("training.class_weights=balanced") != plain

"""Exported weights are those that were trained, and an exported classifier answers as fintone does."""

from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file
from transformers import pipeline

from embedded.paths import MODEL_FOLDER
from learning.kinds.causal import KIND
from learning.models.adapter import save_adapter
from learning.models.base_model import load_model
from learning.models.device import choose_device
from learning.models.encoder import write_classifier
from learning.models.export import write_merged, write_script
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.prompt.decoding import Decoding
from schemas.cell import BaseModelSettings, CellSettings, LoraSettings, PromptSettings, TrainingSettings
from schemas.evaluation import DecodingSettings
from schemas.label import LABELS, Label
from tests.exported import load_classifier
from tests.learning.models.encoders import load, make_encoder, train
from tests.learning.models.families import write_family


@pytest.mark.parametrize("quantization", ["nf4", "none"])
@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_the_adapter_is_added_to_the_weights_of_its_training(
    precision: Literal["bfloat16", "float32"], quantization: str, tmp_path: Path
) -> None:
    training = TrainingSettings(loss="completion", schedule="constant", precision=precision)
    base = LoadedBase(MODEL_FOLDER, quantization, choose_device(training))
    trained_on = {name: weight.clone() for name, weight in base.model.state_dict().items()}
    assert {weight.dtype for weight in trained_on.values()} == {getattr(torch, precision)}
    adapted = base.train_new(LoraSettings(r=4), seed=3)
    deltas = draw_deltas(adapted)
    save_adapter(adapted, tmp_path / "adapter")
    write_merged(MODEL_FOLDER, quantization, tmp_path / "adapter", training, tmp_path / "merged")
    merged = load_file(tmp_path / "merged" / "model.safetensors")
    for name, weight in merged.items():
        delta = deltas.get(name.removesuffix(".weight"), torch.zeros(()))
        assert torch.equal(weight, (trained_on[name].float() + delta).to(weight.dtype)), name
    assert {weight.dtype for weight in merged.values()} == {getattr(torch, precision)}
    assert len(deltas) > 10


def test_a_family_that_stores_its_weights_transposed_gets_them_back_that_way(tmp_path: Path) -> None:
    """Bitsandbytes turns the weights of GPT-2's layers when it quantises them."""
    training = TrainingSettings(loss="completion", schedule="constant", precision="float32")
    folder, device = write_family("gpt2", tmp_path / "gpt2"), choose_device(training)
    adapted = LoadedBase(folder, "nf4", device).train_new(LoraSettings(r=4), seed=3).eval()
    draw_deltas(adapted)
    save_adapter(adapted, tmp_path / "adapter")
    write_merged(folder, "nf4", tmp_path / "adapter", training, tmp_path / "merged")
    merged, ids = load_model(tmp_path / "merged", "none", device), torch.arange(20, 40)[None]
    with torch.inference_mode():
        assert torch.allclose(merged(input_ids=ids).logits, adapted(input_ids=ids).logits, atol=1e-4)


def test_an_exported_classifier_truncates_a_long_headline_where_fintone_does(
    labelled: tuple[list[str], list[Label]], tmp_path: Path
) -> None:
    bert, trained = make_encoder(tmp_path / "bert"), tmp_path / "trained"
    train(bert, labelled, trained)
    write_classifier(bert, trained, choose_device(), tmp_path / "exported")
    headline = "Profit rose in the third quarter, the company said. " * 100
    with quiet_libraries():
        classify = pipeline("text-classification", model=str(tmp_path / "exported"), top_k=None, truncation=True)
    found = {answer["label"]: answer["score"] for answer in classify([headline])[0]}
    decodings = [Decoding(1.0, None, None)]
    answers = load(bert).probabilities((trained, None), [headline], PromptSettings(), decodings, lambda _: None)
    expected = answers.sampled[0, 0, :3].tolist()
    assert [found[label.value] for label in LABELS] == pytest.approx(expected, abs=1e-5)


TEMPERATURE = 10.0
"""At which no label is lost by a small cut."""
WORDS = {
    "one token": PromptSettings(),
    "several tokens": PromptSettings(
        label_words={Label.NEGATIVE: "downward", Label.NEUTRAL: "without direction", Label.POSITIVE: "upward"}
    ),
    "any spelling": PromptSettings(spellings="any"),
    "own template": PromptSettings(instruction="Good or bad?\n", template="News: {headline}"),
}


@pytest.mark.parametrize(("top_k", "top_p"), [(None, None), (1_500, None), (None, 0.99), (1_500, 0.98)])
@pytest.mark.parametrize("prompt", WORDS.values(), ids=[*WORDS])
def test_the_script_of_an_export_answers_as_fintone_does(
    prompt: PromptSettings, top_k: int | None, top_p: float | None, tmp_path: Path
) -> None:
    training = TrainingSettings(loss="completion", schedule="constant")
    settings = CellSettings(
        base_model=BaseModelSettings(name="embedded", quantization="none"),
        prompt=prompt,
        lora=LoraSettings(),
        training=training,
    )
    model, decodings = KIND.load(MODEL_FOLDER, "none", training), [Decoding(TEMPERATURE, top_k, top_p)]
    model.base.model.save_pretrained(tmp_path / "model")
    model.base.tokenizer.save_pretrained(tmp_path / "model")
    decoding = DecodingSettings(temperatures=(TEMPERATURE,), top_k=top_k, top_p=top_p)
    write_script(MODEL_FOLDER, settings, decoding, tmp_path / "model", merge=True)
    headlines = ["Profit rose [again]", "Sales\nfell by 5 % </s>"]
    expected = model.probabilities(None, headlines, prompt, decodings, lambda _: None).sampled[:, 0, :3]
    classifier = load_classifier(tmp_path / "model")
    for headline, row in zip(headlines, expected.tolist(), strict=True):
        assert [*classifier.classify(headline, temperature=TEMPERATURE).values()] == pytest.approx(row, rel=1e-3)
        assert all(row)


def draw_deltas(adapted: Any) -> dict[str, torch.Tensor]:
    """Draw B, which begins as zero; returns what the adapter adds to each layer's weight, in float32."""
    deltas = {}
    for name, layer in adapted.get_base_model().named_modules():
        if hasattr(layer, "lora_A"):
            down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
            torch.nn.init.normal_(up, std=0.1, generator=torch.Generator().manual_seed(len(deltas)))
            deltas[name] = (up.detach().float() @ down.detach().float()) * layer.scaling["default"]
    return deltas

"""Exported weights are those that were trained, and an exported classifier answers as fintone does."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file
from transformers import pipeline

from embedded.paths import MODEL_FOLDER
from learning.kinds.causal import KIND
from learning.models.base_model import load_model
from learning.models.device import choose_device
from learning.models.encoder import write_classifier
from learning.models.export import write_adapter, write_merged, write_script
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.models.saving import save_fine_tune
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
    save_fine_tune(adapted, tmp_path / "adapter")
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
    save_fine_tune(adapted, tmp_path / "adapter")
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
    classifier = write_whole(prompt, tmp_path / "model", top_k, top_p)
    model = KIND.load(MODEL_FOLDER, "none", TrainingSettings(loss="completion", schedule="constant"))
    headlines = ["Profit rose [again]", "Sales\nfell by 5 % </s>"]
    decodings = [Decoding(TEMPERATURE, top_k, top_p)]
    expected = model.probabilities(None, headlines, prompt, decodings, lambda _: None).sampled[:, 0, :3]
    for headline, row in zip(headlines, expected.tolist(), strict=True):
        assert [*classifier.classify(headline, temperature=TEMPERATURE).values()] == pytest.approx(row, rel=1e-3)
        assert all(row)


def test_the_script_of_an_export_refuses_what_fintone_does_not_score(tmp_path: Path) -> None:
    classifier = write_whole(PromptSettings(), tmp_path / "model")
    plain = classifier.classify("Profit rose")
    assert classifier.classify("  Profit rose \n") == plain
    with pytest.raises(ValueError, match="a headline is empty"):
        classifier.classify("  ")
    with pytest.raises(ValueError, match=r"a headline has \d+ tokens with its prompt, the model takes 512"):
        classifier.classify("Profit rose " * 300)
    with pytest.raises(ValueError, match="the prompt has 0 examples, not 1"):
        classifier.classify("Profit rose", examples=[{"headline": "Sales fell", "label": "negative"}])


def test_the_command_of_an_export_answers_in_lines_of_json_or_with_a_line_of_error(tmp_path: Path) -> None:
    write_whole(PromptSettings(), tmp_path / "model")

    def run(*words: str) -> tuple[int, list[str], str]:
        command = [sys.executable, "-I", str(tmp_path / "model" / "classify.py"), *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout.splitlines(), ran.stderr

    code, lines, error = run("--temperature", "0.5", "Profit rose", "Cæsar \udcff")
    assert (code, [json.loads(line)["headline"] for line in lines], error) == (0, ["Profit rose", "Cæsar ?"], "")
    assert run("Sales fell", " ")[::2] == (1, "classify.py: a headline is empty\n")
    assert run("--temperature", "nan", "Sales fell")[0] == 2
    (tmp_path / "model" / "prompt.json").unlink()
    code, lines, error = run("Sales fell")
    assert (code, lines, error.count("\n")) == (1, [], 1)
    assert error.startswith("classify.py: [Errno 2] No such file or directory")


def test_an_adapter_says_where_its_base_should_be(tmp_path: Path) -> None:
    base = shutil.copytree(MODEL_FOLDER, tmp_path / "base")
    loaded = LoadedBase(base, "none", choose_device())
    save_fine_tune(loaded.train_new(LoraSettings(r=4), seed=3), tmp_path / "adapter")
    write_adapter(tmp_path / "adapter", str(base), None, tmp_path / "model")
    settings = describe_cell(PromptSettings())
    write_script(base, settings, DecodingSettings(temperatures=(1,)), tmp_path / "model", merge=False)
    assert load_classifier(tmp_path / "model").classify("Profit rose")
    base.rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=rf"base model is not at {base}: set base_model_name_or_path in adapter_conf"):
        load_classifier(tmp_path / "model")


def test_a_full_disk_is_an_error_of_the_system(tmp_path: Path) -> None:
    """In a child process: no file may be larger, as on a full disk."""
    script = (
        "import resource, signal\nfrom pathlib import Path\n"
        "from learning.models.saving import save_fine_tune\nimport torch\n"
        "from transformers import LlamaConfig, LlamaForCausalLM\n"
        "model = LlamaForCausalLM(LlamaConfig(vocab_size=99, hidden_size=64, num_hidden_layers=1))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    save_fine_tune(model, Path('saved'))\n"
        "except OSError as error:\n    print(error.strerror)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (ran.stdout, list(tmp_path.iterdir())) == ("File too large\n", [])


def describe_cell(prompt: PromptSettings) -> CellSettings:
    """A cell of an unquantised base."""
    return CellSettings(
        base_model=BaseModelSettings(name="embedded", quantization="none"),
        prompt=prompt,
        lora=LoraSettings(),
        training=TrainingSettings(loss="completion", schedule="constant"),
    )


def write_whole(prompt: PromptSettings, folder: Path, top_k: int | None = None, top_p: float | None = None) -> Any:
    """The classifier of an export of the embedded model, whole and in float32."""
    base = LoadedBase(MODEL_FOLDER, "none", choose_device())
    base.model.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    decoding = DecodingSettings(temperatures=(TEMPERATURE,), top_k=top_k, top_p=top_p)
    write_script(MODEL_FOLDER, describe_cell(prompt), decoding, folder, merge=True)
    return load_classifier(folder)


def draw_deltas(adapted: Any) -> dict[str, torch.Tensor]:
    """Draw B, which begins as zero; returns what the adapter adds to each layer's weight, in float32."""
    deltas = {}
    for name, layer in adapted.get_base_model().named_modules():
        if hasattr(layer, "lora_A"):
            down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
            torch.nn.init.normal_(up, std=0.1, generator=torch.Generator().manual_seed(len(deltas)))
            deltas[name] = (up.detach().float() @ down.detach().float()) * layer.scaling["default"]
    return deltas

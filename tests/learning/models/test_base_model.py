"""A base model is found, checked and loaded, or refused in one line with the remedy."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from safetensors.torch import load_file, save_file
from sentencepiece import SentencePieceTrainer
from transformers import AutoModelForCausalLM

from embedded.paths import MODEL_FOLDER
from learning.kinds.resolution import resolve_base_model
from learning.models.base_model import check_model_folder, load_model, load_tokenizer
from learning.models.device import Device
from schemas.errors import InputError

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1_000)


CLASSES = {
    "bert": "BertTokenizer",
    "deberta-v2": "DebertaV2Tokenizer",
    "llama": "LlamaTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
}


def error_of(call: Callable[[], object], name: object) -> str:
    """The one line that a user would read; it begins with the model's name."""
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"base model {name}: ")
    return message


def change_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | changes), encoding="utf-8")


def test_the_embedded_model_has_the_same_revision_each_time(tmp_path: Path) -> None:
    first, second = (resolve_base_model("embedded", None, tmp_path) for _ in range(2))
    assert first == second
    assert (first.name, first.folder, len(first.revision)) == ("embedded", MODEL_FOLDER, 16)


def test_the_embedded_model_is_fit_to_load() -> None:
    check_model_folder(MODEL_FOLDER)


def test_the_revision_of_a_folder_depends_on_its_files_and_not_on_its_place(
    folder: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    here, there = (resolve_base_model(str(it), None, tmp_path) for it in (folder, tiny_folder))
    assert (here.folder, there.folder) == (folder, tiny_folder)
    assert here.revision == there.revision


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_changed_file_is_another_revision(folder: Path, tmp_path: Path, file: str) -> None:
    before = resolve_base_model(str(folder), None, tmp_path).revision
    content = (folder / file).read_bytes()
    changed = content[:-2] + bytes([content[-2] ^ 1]) + content[-1:] if file == "model.safetensors" else content + b" "
    (folder / file).write_bytes(changed)
    assert resolve_base_model(str(folder), None, tmp_path).revision != before


def test_a_relative_folder_is_resolved(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_base_model("model", None, tmp_path).folder == folder


@pytest.mark.parametrize(
    "name", ["nowhere", "/nowhere/at/all", "../nowhere", "./nowhere", "~/nowhere/at/all", "a--b/c"]
)
def test_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    message = error_of(lambda: resolve_base_model(name, None, tmp_path), name)
    assert "no such folder" in message
    assert "give `embedded`, a folder, or ORG/NAME" in message


def test_a_file_is_no_model(folder: Path, tmp_path: Path) -> None:
    file = folder / "model.safetensors"
    message = error_of(lambda: resolve_base_model(str(file), None, tmp_path), file)
    assert "is a file; give the folder that holds" in message


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("config.json", "no config.json; give a folder in Hugging Face's format"),
        ("model.safetensors", "no *.safetensors; give a folder that holds the weights"),
        ("tokenizer.json", "no tokenizer (none of tokenizer.json, vocab.json"),
    ],
)
def test_what_a_folder_lacks_is_named(folder: Path, tmp_path: Path, absent: str, message: str) -> None:
    (folder / absent).unlink()
    assert message in error_of(lambda: resolve_base_model(str(folder), None, tmp_path), folder)


def test_an_adapter_is_no_base_model(folder: Path, tmp_path: Path) -> None:
    (folder / "config.json").rename(folder / "adapter_config.json")
    message = error_of(lambda: resolve_base_model(str(folder), None, tmp_path), folder)
    assert message.endswith("is an adapter; give whole weights, as `fintone export --merge`")


def test_a_folder_in_place_of_the_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()
    message = error_of(lambda: resolve_base_model(str(folder), None, tmp_path), folder)
    assert message.endswith("no *.safetensors; give a folder that holds the weights")


@pytest.mark.parametrize("pickle", ["pytorch_model.bin", "consolidated.00.pth", "model.pt", "model.ckpt"])
def test_pickles_are_refused(folder: Path, tmp_path: Path, pickle: str) -> None:
    (folder / "model.safetensors").rename(folder / pickle)
    message = error_of(lambda: resolve_base_model(str(folder), None, tmp_path), folder)
    assert "its weights are pickles, which can run code when loaded; convert them to safetensors" in message


@pytest.mark.parametrize("quantization", ["nf4", "none"])
@pytest.mark.parametrize("kept", [0, 4, 1_000, -1])
def test_damaged_weights_are_refused(folder: Path, quantization: str, kept: int) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:kept])
    message = error_of(lambda: load_model(folder, quantization, CPU), folder)
    assert "cannot be loaded (" in message
    assert message.endswith("get its files again")


@pytest.mark.parametrize("quantization", ["nf4", "none"])
@pytest.mark.parametrize("changes", [{"num_hidden_layers": 3}, {"hidden_size": 128}])
def test_weights_that_the_files_lack_are_never_drawn_at_random(
    folder: Path, quantization: str, changes: dict[str, int]
) -> None:
    change_config(folder, **changes)
    message = error_of(lambda: load_model(folder, quantization, CPU), folder)
    assert "of the weights that its config.json asks for, model." in message
    assert message.endswith("give the config.json that belongs to the weights")


def test_weights_of_something_else_are_refused(folder: Path) -> None:
    others = {f"classifier.{number}": torch.zeros(2, 2_000) for number in range(30)}
    save_file(others, folder / "model.safetensors", metadata={"format": "pt"})
    assert "are not in its *.safetensors" in error_of(lambda: load_model(folder, "none", CPU), folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "is not a valid JSON file"),
        ("{}", "Should have a `model_type` key"),
        ('{"model_type": "unheard-of"}', "unheard-of"),
        ('{"model_type": "t5"}', "AutoModelForCausalLM"),
        (
            '{"model_type": "llama", "hidden_size": "wide"}',
            "config.json says hidden_size 'wide', its weights allow 1 to 1,536",
        ),
        ('{"model_type": "llama", "hidden_size": 192, "num_attention_heads": 5}', "not a multiple of the number"),
    ],
)
def test_an_invalid_configuration_is_refused(folder: Path, config: str, message: str) -> None:
    (folder / "config.json").write_text(config, encoding="utf-8")
    assert message in error_of(lambda: load_model(folder, "none", CPU), folder)


@pytest.mark.parametrize("content", ["", "no JSON", "{}", "[]", '{"added_tokens": [], "model": {"type": "BPE"}}'])
def test_a_damaged_tokenizer_is_refused(folder: Path, content: str) -> None:
    (folder / "tokenizer.json").write_text(content, encoding="utf-8")
    message = error_of(lambda: load_tokenizer(folder), folder)
    assert "its tokenizer cannot be loaded (" in message
    assert message.endswith("get its files again")


def replace_tokenizer(folder: Path, kind: str, name: str, content: bytes) -> None:
    """Give a model another tokenizer than tokenizer.json."""
    change_config(folder, model_type=kind)
    (folder / "tokenizer.json").unlink()
    config = {"tokenizer_class": CLASSES[kind]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / name).write_bytes(content)


def test_a_vocabulary_of_bert_is_read(folder: Path) -> None:
    replace_tokenizer(folder, "bert", "vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nprofit\nrose\n##s\n")
    check_model_folder(folder, lambda *_: None)
    tokenizer = load_tokenizer(folder)
    assert tokenizer.tokenize("Profits rose") == ["profit", "##s", "rose"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("llama", "tokenizer.model"),
        ("deberta-v2", "spm.model"),
        ("xlm-roberta", "sentencepiece.bpe.model"),
    ],
)
def test_a_tokenizer_of_sentencepiece_is_read(folder: Path, kind: str, name: str) -> None:
    trained = BytesIO()
    texts = iter([f"profit rose {number}" for number in range(100)])
    SentencePieceTrainer.train(sentence_iterator=texts, model_writer=trained, vocab_size=24, minloglevel=2)
    replace_tokenizer(folder, kind, name, trained.getvalue())
    check_model_folder(folder, lambda *_: None)
    tokenizer = load_tokenizer(folder)
    assert tokenizer.decode(tokenizer("profit rose")["input_ids"], skip_special_tokens=True) == "profit rose"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vocab.txt", "its tokenizer, a LlamaTokenizer, has no tokens; get its files again"),
        ("tokenizer.model", "its tokenizer cannot be loaded ("),
    ],
)
def test_a_tokenizer_whose_files_are_not_read_is_refused(folder: Path, name: str, message: str) -> None:
    replace_tokenizer(folder, "llama", name, b"no tokenizer")
    assert message in error_of(lambda: load_tokenizer(folder), folder)


def test_a_model_beyond_the_memory_is_refused_in_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Mock(side_effect=torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", full)
    message = error_of(lambda: load_model(folder, "none", CPU), folder)
    assert message.endswith(
        "does not fit into memory (CUDA out of memory. Tried to allocate 2.00 GiB); give a smaller model, or end what "
        "else uses the memory"
    )


def test_an_nf4_model_holds_4_bit_layers_and_is_frozen(tiny_folder: Path) -> None:
    model = load_model(tiny_folder, "nf4", CPU)
    layers = [layer for layer in model.modules() if isinstance(layer, Linear4bit)]
    assert len(layers) == 2 * 7
    assert {layer.weight.quant_state.quant_type for layer in layers} == {"nf4"}
    assert {layer.weight.dtype for layer in layers} == {torch.uint8}
    assert {layer.compute_dtype for layer in layers} == {torch.float32}
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())


def test_an_nf4_layer_is_near_its_weight_and_not_equal(tiny_folder: Path) -> None:
    layer = load_model(tiny_folder, "nf4", CPU).model.layers[0].mlp.up_proj
    weight = load_file(tiny_folder / "model.safetensors")["model.layers.0.mlp.up_proj.weight"].float()
    computed = layer(torch.eye(weight.shape[1])).T
    assert 0 < (computed - weight).norm() / weight.norm() < 0.15


def test_a_model_without_quantization_holds_its_weights_as_they_are(tiny_folder: Path) -> None:
    model = load_model(tiny_folder, "none", CPU)
    stored = load_file(tiny_folder / "model.safetensors")
    weights = dict(model.named_parameters())
    assert {name: torch.equal(weights[name], value.float()) for name, value in stored.items()} == dict.fromkeys(
        stored, True
    )
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    assert not any(weight.requires_grad for weight in weights.values())


def test_loading_prints_nothing(tiny_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_tokenizer(tiny_folder)
    load_model(tiny_folder, "nf4", CPU)
    load_model(tiny_folder, "none", CPU)
    assert capfd.readouterr() == ("", "")

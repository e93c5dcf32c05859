"""A configuration that is not that of its weights is refused by the files; what is harmless beside them is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AlbertConfig, AlbertModel

from learning.models.base_model import NOUN, check_model_folder, load_model
from learning.models.device import Device
from learning.models.encoder import load_encoder
from learning.models.encoder_checks import check_encoder
from learning.models.model_files import find_files
from learning.models.shape_checks import check_shapes
from learning.models.stored_tensors import read_tensors
from schemas.errors import InputError
from tests.learning.models.encoders import FAMILIES as ENCODERS
from tests.learning.models.encoders import make_encoder
from tests.learning.models.families import FAMILIES, OTHERS, write_family

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1_000)
MATCH = "give the config.json that belongs to the weights"
LAYERS = ("num_hidden_layers", "n_layer", "n_layers")


def change_config(folder: Path, **values: Any) -> None:
    """Change values of config.json; those that are None are removed."""
    held = json.loads((folder / "config.json").read_text(encoding="utf-8")) | values
    kept = {key: value for key, value in held.items() if value is not None or key not in values}
    (folder / "config.json").write_text(json.dumps(kept), encoding="utf-8")


def layers_key(folder: Path) -> str:
    held = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return next(key for key in LAYERS if key in held)


def add_weights(folder: Path, like: str, *names: str) -> None:
    held = load_file(folder / "model.safetensors")
    more = {name: held[like].clone() for name in names}
    save_file(held | more, folder / "model.safetensors", {"format": "pt"})


def error_of(call: Callable[[], object], folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"base model {folder}: ")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_family("llama with grouped heads", tmp_path_factory.mktemp("written") / "model")


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "model"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"hidden_size": 60},
            f"config.json says hidden_size 60, its weights have 64 (model.embed_tokens.weight); {MATCH}",
        ),
        ({"vocab_size": 1_500}, "config.json says vocab_size 1500, its weights have 1536 (model.embed_tokens.weight);"),
        ({"num_hidden_layers": 4}, f"config.json says num_hidden_layers 4, its weights have 2 layers; {MATCH}"),
        ({"num_hidden_layers": 1}, f"config.json says num_hidden_layers 1, its weights have 2 layers; {MATCH}"),
        ({"model_type": "lama"}, "config.json says model_type 'lama', which transformers does not know, did you mean"),
        ({"model_type": None}, "config.json has no model_type; get its files again, or write the model's family there"),
        ({"model_type": ["llama"]}, "config.json has no model_type; get its files again, or write the model's family"),
        ({"model_type": {}}, "config.json has no model_type; get its files again, or write the model's family there"),
        ({"num_labels": 10**9}, "config.json says num_labels 1000000000, its weights allow 1 to"),
        ({"model_type": "mine", "auto_map": {"AutoConfig": "mine.C"}}, "asks for code of its own (auto_map), which is"),
        (
            {"hidden_act": "sillu"},
            "config.json says hidden_act 'sillu', which transformers does not know, did you mean",
        ),
        (
            {"rope_scaling": {"type": "x", "factor": 2.0}},
            "config.json says rope_scaling of type 'x', which transformers",
        ),
        ({"rope_parameters": {"full_attention": {"rope_type": "x"}}}, "config.json says rope_parameters of type 'x', "),
    ],
    ids=str,
)
def test_a_value_that_is_wrong_is_named_with_that_of_the_weights(
    folder: Path, values: dict[str, Any], message: str
) -> None:
    change_config(folder, **values)
    assert error_of(lambda: check_model_folder(folder), folder).startswith(message)


def test_a_head_of_its_own_that_is_absent_is_reported(folder: Path) -> None:
    held = load_file(folder / "model.safetensors")
    del held["lm_head.weight"]
    save_file(held, folder / "model.safetensors", {"format": "pt"})
    change_config(folder, tie_word_embeddings=False)
    message = error_of(lambda: check_model_folder(folder), folder)
    assert message.startswith("config.json says tie_word_embeddings false, its weights have no lm_head.weight; write")
    change_config(folder, tie_word_embeddings=True)
    check_model_folder(folder)
    load_model(folder, "none", CPU)


@pytest.mark.parametrize("family", [*FAMILIES, "falcon", "bert as a decoder", *list(OTHERS)[-1:]])
def test_other_layers_are_found_in_the_files_of_each_family(family: str, tmp_path: Path) -> None:
    model = write_family(family, tmp_path / "model")
    check_model_folder(model)
    for number in (1, 3):
        change_config(model, **{layers_key(model): number})
        assert f" {number}, its weights have 2 layers; " in error_of(lambda: check_model_folder(model), model)


@pytest.mark.parametrize("labels", [None, ("positive", "negative", "neutral")])
@pytest.mark.parametrize("family", ENCODERS)
def test_other_layers_are_found_in_the_files_of_each_encoder(
    family: str, labels: tuple[str, ...] | None, tmp_path: Path
) -> None:
    model = make_encoder(tmp_path / "model", family, labels)
    check_model_folder(model, check_encoder)
    for number in (1, 3):
        change_config(model, **{layers_key(model): number})
        message = error_of(lambda: check_model_folder(model, check_encoder), model)
        assert f" {number}, its weights have 2 layers; " in message


def test_layers_that_are_not_read_are_found_in_the_loaded_model(folder: Path, tmp_path: Path) -> None:
    change_config(folder, num_hidden_layers=1)
    message = f"config.json asks for 1 layer (num_hidden_layers), its weights have 2; {MATCH}"
    assert error_of(lambda: load_model(folder, "none", CPU), folder) == message
    encoder = make_encoder(tmp_path / "encoder", "bert")
    change_config(encoder, num_hidden_layers=1)
    assert error_of(lambda: load_encoder(encoder, CPU), encoder) == message


def test_what_is_stored_beside_the_layers_is_no_layer(folder: Path) -> None:
    add_weights(
        folder,
        "model.norm.weight",
        "model.layers.1.self_attn.rotary_emb.inv_freq",
        "model.embed_positions.position_ids",
        "model.vision_tower.encoder.layers.5.norm.weight",
        "vision_model.encoder.layers.7.norm.weight",
        "mtp.layers.4.norm.weight",
        "model.mtp.layers.4.norm.weight",
        "pooler.dense.weight",
    )
    check_model_folder(folder)
    load_model(folder, "none", CPU)


def test_layers_that_predict_further_tokens_are_numbered_after_the_others(folder: Path) -> None:
    add_weights(folder, "model.norm.weight", "model.layers.2.enorm.weight")
    change_config(folder, num_nextn_predict_layers=1)
    check_model_folder(folder)
    load_model(folder, "none", CPU)
    for other in (0, "x"):
        change_config(folder, num_nextn_predict_layers=other)
        assert "its weights have 3 layers" in error_of(lambda: check_model_folder(folder), folder)


def test_an_embedding_may_be_narrower_than_the_model(tmp_path: Path) -> None:
    config = AlbertConfig(vocab_size=50, embedding_size=8, hidden_size=16, num_attention_heads=2, intermediate_size=16)
    AlbertModel(config).save_pretrained(tmp_path)
    files = find_files(NOUN, tmp_path)
    for given in (8, None):
        change_config(tmp_path, embedding_size=given)
        check_shapes(files, files.read_json("config.json"), read_tensors(files))
    change_config(tmp_path, embedding_size=4)
    with pytest.raises(InputError, match=r"config.json says embedding_size 4, its weights have 8 "):
        check_shapes(files, files.read_json("config.json"), read_tensors(files))

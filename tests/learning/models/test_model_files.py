"""Libraries open exactly the listed files of a model's folder, and its revision follows from these."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from embedded.paths import MODEL_FOLDER
from learning.kinds.resolution import resolve_base_model
from learning.models.base_model import check_model_folder, load_model, load_tokenizer
from learning.models.model_files import find_files, handed_over
from tests.learning.models.spoiled_folders import (
    CPU,
    Spoil,
    add_chat_template,
    add_code,
    add_gguf,
    add_odd_generation,
    add_other_weights,
    add_pickles,
    add_pipes,
    answer,
    change,
    name_weights_in_an_index,
    shard,
)

IGNORED: tuple[Spoil, ...] = (
    add_gguf,
    add_code,
    add_pickles,
    add_other_weights,
    add_odd_generation,
    add_chat_template,
    add_pipes,
    name_weights_in_an_index,
    shard,
)


@pytest.mark.parametrize("spoil", IGNORED, ids=lambda spoil: spoil.__name__)
def test_other_files_in_the_folder_change_nothing(folder: Path, tiny_folder: Path, spoil: Spoil) -> None:
    spoil(folder)
    check_model_folder(folder)
    (ids, logits), (clean_ids, clean_logits) = answer(folder), answer(tiny_folder)
    assert ids == clean_ids
    assert torch.equal(logits, clean_logits)
    assert not (folder.parent / "a-pickle-was-loaded").exists()


def test_a_loaded_model_is_named_after_its_folder(folder: Path) -> None:
    assert load_model(folder, "none", CPU).config.name_or_path == str(folder)
    assert load_tokenizer(folder).name_or_path == str(folder)


def test_libraries_are_handed_the_listed_files_and_nothing_else(folder: Path, tiny_folder: Path) -> None:
    for spoil in (add_gguf, add_code, add_pickles, add_other_weights, add_odd_generation, add_chat_template):
        spoil(folder)
    with handed_over(find_files("base model", folder)) as place:
        handed = {file.relative_to(place).as_posix() for file in place.rglob("*")}
    assert handed == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert not place.exists()
    assert load_tokenizer(folder).chat_template is None
    generation, clean = (load_model(each, "none", CPU).generation_config for each in (folder, tiny_folder))
    assert (generation.temperature, generation.top_k) == (clean.temperature, clean.top_k)


def hash_of_version_1(folder: Path) -> str:
    """A folder's revision as the first version computed it: the ids of cells in old homes follow from it."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in {".safetensors", ".json", ".model", ".txt"}:
            digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("spoil", [lambda _: None, add_other_weights, add_odd_generation, shard, add_gguf])
def test_a_sound_folder_has_the_revision_of_the_first_version(folder: Path, tmp_path: Path, spoil: Spoil) -> None:
    assert resolve_base_model("embedded", None, tmp_path).revision == hash_of_version_1(MODEL_FOLDER)
    spoil(folder)
    assert resolve_base_model(str(folder), None, tmp_path).revision == hash_of_version_1(folder)


def test_the_revision_follows_from_weights_in_a_subfolder_that_an_index_names(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    (folder / "below").mkdir()
    named = dict.fromkeys(weights, "below/all.safetensors")
    change(folder, "model.safetensors.index.json", weight_map=named, metadata={})
    revisions = []
    for factor in (1, 2):
        save_file({name: value * factor for name, value in weights.items()}, folder / "below" / "all.safetensors")
        revisions.append(resolve_base_model(str(folder), None, tmp_path).revision)
        read = load_model(folder, "none", CPU).get_input_embeddings().weight
        assert torch.equal(read, weights["model.embed_tokens.weight"].float() * factor)
    assert revisions[0] != revisions[1]

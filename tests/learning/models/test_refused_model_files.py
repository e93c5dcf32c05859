"""A model's folder that would make libraries open anything but its own files is refused in one line."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from learning.baselines.embeddings import check_embedding_folder
from learning.kinds.resolution import resolve_base_model
from learning.models.base_model import check_model_folder, load_model, load_tokenizer
from schemas.errors import InputError
from tests.learning.models.spoiled_folders import CPU, Spoil, Trap, add_adapter, answer, change, shard

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12345\n"


def name_a_shard(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder.parent / "outside.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(folder)))
        shard(folder, {"lm_head.weight": name.replace("FOLDER", str(folder.parent))})

    spoil.__name__ = f"name {name}"
    return spoil


def keep_both_sets(folder: Path) -> None:
    shutil.copy(folder / "model.safetensors", folder.parent)
    shard(folder)
    shutil.copy(folder.parent / "model.safetensors", folder)


def link_out(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        shutil.move(folder / name, folder.parent / name)
        (folder / name).symlink_to(folder.parent / name)

    spoil.__name__ = f"link {name} out"
    return spoil


def link_to_a_device(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("/dev/zero")


def pipe(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    spoil.__name__ = f"pipe {name}"
    return spoil


def link_to_itself(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("model.safetensors")


def pointer(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).write_text(POINTER, encoding="utf-8")

    spoil.__name__ = f"pointer {name}"
    return spoil


def settings(name: str, **values: Any) -> Spoil:
    def spoil(folder: Path) -> None:
        change(folder, name, **values)

    spoil.__name__ = f"{name} {' '.join(values)}"
    return spoil


REFUSED: tuple[tuple[Spoil, str], ...] = (
    (add_adapter, "there is an adapter in it (adapter_config.json), which would be loaded with it; move the adapter's"),
    (keep_both_sets, "it holds two sets of weights, model.safetensors and the shards of model.safetensors.index.json;"),
    (name_a_shard("pytorch_model.bin"), "model.safetensors.index.json names 'pytorch_model.bin', which is no"),
    (name_a_shard("../outside.safetensors"), "model.safetensors.index.json names '../outside.safetensors', which is"),
    (name_a_shard("FOLDER/outside.safetensors"), "model.safetensors.index.json names '"),
    (name_a_shard("model-3.safetensors"), "model.safetensors.index.json names model-3.safetensors, which is not there"),
    (
        settings("model.safetensors.index.json", weight_map=[1]),
        "model.safetensors.index.json has no weight_map or no metadata;",
    ),
    (link_out("model.safetensors"), "model.safetensors is a link to"),
    (link_out("config.json"), "config.json is a link to"),
    (link_to_a_device, "model.safetensors is a link to /dev/zero, outside the folder"),
    (link_to_itself, "model.safetensors cannot be opened"),
    (pipe("model.safetensors"), "model.safetensors is no regular file but a pipe or a device; remove it"),
    (pipe("notes.txt"), "notes.txt is no regular file but a pipe or a device; remove it"),
    (pointer("model.safetensors"), "model.safetensors is a pointer of Git LFS and not the file; fetch it with `git"),
    (
        pointer("tokenizer.json"),
        "tokenizer.json is a pointer of Git LFS and not the file; fetch it with `git lfs pull`",
    ),
    (settings("config.json", _attn_implementation="org/kernel"), "config.json asks for _attn_implementation 'org/ker"),
    (settings("config.json", attn_implementation={"": "org/kernel:f"}), "config.json asks for attn_implementation 'o"),
    (settings("config.json", text={"_attn_implementation": "flash_attention_2"}), "config.json asks for _attn_implem"),
    (settings("config.json", experts_implementation="org/kernel"), "config.json asks for experts_implementation"),
    (settings("config.json", transformers_weights="other.safetensors"), "config.json names other files to load (tra"),
    (settings("config.json", configuration_files=["/x/config.4.json"]), "config.json names other files to load (conf"),
    (
        settings("tokenizer_config.json", fast_tokenizer_files=["/tokenizer.4.json"]),
        "tokenizer_config.json names other",
    ),
    (settings("tokenizer_config.json", vocab="/x/vocab.json"), "tokenizer_config.json names other files to load (vo"),
    (settings("tokenizer_config.json", merges="/x/merges.txt"), "tokenizer_config.json names other files to load (me"),
    (settings("tokenizer_config.json", init_inputs=["/x/vocab.json"]), "tokenizer_config.json names other files to l"),
    (settings("tokenizer_config.json", sp_model_kwargs={"model_file": "/x"}), "tokenizer_config.json names other fil"),
    (settings("special_tokens_map.json", tokenizer_file="/x/tokenizer.json"), "special_tokens_map.json names other f"),
    (settings("special_tokens_map.json", vocab_file="/x/secret.txt"), "special_tokens_map.json names other files to "),
    (name_a_shard("a" * 300 + ".safetensors"), "model.safetensors.index.json names aaa"),
)


@pytest.mark.parametrize(("spoil", "message"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_folder_that_would_make_libraries_open_something_else_is_refused(
    folder: Path, tmp_path: Path, spoil: Spoil, message: str
) -> None:
    spoil(folder)
    calls: tuple[Callable[[], object], ...] = (
        lambda: resolve_base_model(str(folder), None, tmp_path),
        lambda: load_model(folder, "none", CPU),
        lambda: load_tokenizer(folder),
    )
    for call in calls:
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value).startswith(f"base model {folder}: {message}")
        assert len(str(caught.value).splitlines()) == 1
    assert not (folder.parent / "a-pickle-was-loaded").exists()


def test_a_tokenizer_must_be_one(folder: Path) -> None:
    change(folder, "tokenizer_config.json", tokenizer_class="RagTokenizer")
    with pytest.raises(InputError, match="its tokenizer is a RagTokenizer, which is not used; get its files again"):
        load_tokenizer(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (settings("adapter_config.json", peft_type="LORA"), "there is an adapter in it"),
        (
            settings("model.safetensors.index.json", weight_map={"a": "../x.safetensors"}, metadata={}),
            "model.safetensors.index.json",
        ),
        (pipe("notes.txt"), "notes.txt is no regular file"),
        (pipe("1_Pooling/config.json"), "1_Pooling/config.json is no regular file"),
        (settings("sentence_bert_config.json", model_args={"attn_implementation": "org/kernel"}), "sentence_bert_conf"),
        (settings("sentence_bert_config.json", model_args={"gguf_file": "/x.gguf"}), "sentence_bert_config.json names"),
        (settings("sentence_bert_config.json", processor_kwargs={"vocab_file": "/x"}), "sentence_bert_config.json nam"),
        (settings("config.json", _attn_implementation="org/kernel"), "config.json asks for _attn_implementation"),
        (settings("special_tokens_map.json", vocab_file="/x/secret.txt"), "special_tokens_map.json names other files"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_same_holds_for_an_encoder(tiny_encoder: Path, tmp_path: Path, spoil: Spoil, message: str) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    spoil(folder)
    with pytest.raises(InputError) as caught:
        check_embedding_folder(folder)
    assert str(caught.value).startswith(f"embedding model {folder}: {message}")


def test_a_hub_cache_may_link_only_to_its_own_blobs(folder: Path, tmp_path: Path) -> None:
    cached = tmp_path / "models--org--model"
    snapshot, blob = cached / "snapshots" / "c0ffee", cached / "blobs" / "4d7a21"
    blob.parent.mkdir(parents=True)
    shutil.copytree(folder, snapshot)
    shutil.move(snapshot / "model.safetensors", blob)
    (snapshot / "model.safetensors").symlink_to("../../blobs/4d7a21")
    check_model_folder(snapshot)
    assert torch.equal(answer(snapshot)[1], answer(folder)[1])
    stranger = tmp_path / "models--org--other" / "blobs" / "5ec2e7"
    stranger.parent.mkdir(parents=True)
    shutil.copy(folder / "config.json", stranger)
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(stranger)
    with pytest.raises(InputError, match=r"config\.json is a link to .*, outside the folder"):
        check_model_folder(snapshot)
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(folder / "config.json")
    with pytest.raises(InputError, match=r"config\.json is a link to .*, outside the folder"):
        check_model_folder(snapshot)

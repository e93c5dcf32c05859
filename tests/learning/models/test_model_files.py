"""What a model's folder makes libraries open: an exact list of its own files, or a refusal in one line."""

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from embedded.paths import MODEL_FOLDER
from learning.baselines.embeddings import check_encoder_folder
from learning.kinds.resolution import resolve_base_model
from learning.models.base_model import check_model_folder, load_model, load_tokenizer
from learning.models.device import Device
from learning.models.model_files import find_files, handed_over
from schemas.errors import InputError

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1_000)
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12345\n"
Spoil = Callable[[Path], None]


class Trap:
    """What a pickle makes when it is loaded: a file beside the folder."""

    def __init__(self, folder: Path) -> None:
        self.marker = folder.parent / "a-pickle-was-loaded"

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.marker),))


def change(folder: Path, name: str, **values: Any) -> None:
    file = folder / name
    settings = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps(settings | values), encoding="utf-8")


def shard(folder: Path, weight_map: dict[str, str] | None = None) -> None:
    """Two shards in place of one file, and an index that names them or says something else."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    halves = {name: names[number % 2] for number, name in enumerate(sorted(weights))}
    for name in names:
        held = {key: value for key, value in weights.items() if halves[key] == name}
        save_file(held, folder / name, {"format": "pt"})
    index = {"metadata": {}, "weight_map": halves | (weight_map or {})}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def add_adapter(folder: Path) -> None:
    from learning.models.adapter import attach_new_adapter, save_adapter

    drawn = attach_new_adapter(load_model(folder, "none", CPU), r=4, alpha=16, dropout=0.1, seed=1)
    for name, weight in drawn.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    save_adapter(drawn, folder.parent / "adapter")
    for file in (folder.parent / "adapter").iterdir():
        shutil.copy(file, folder)


def add_gguf(folder: Path) -> None:
    (folder / "model.gguf").write_bytes(b"GGUF")


def add_code(folder: Path) -> None:
    trap = f"import os; os.mkdir({str(folder.parent / 'a-pickle-was-loaded')!r})\n"
    for name in ("modeling_mine.py", "tokenization_mine.py", "configuration_mine.py"):
        (folder / name).write_text(trap, encoding="utf-8")
    change(folder, "config.json", auto_map={"AutoModelForCausalLM": "modeling_mine.Mine"})
    change(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "tokenization_mine.Mine"]})


def add_pickles(folder: Path) -> None:
    for name in ("pytorch_model.bin", "adapter_model.bin", "model.pt"):
        (folder / name).write_bytes(pickle.dumps(Trap(folder)))
    change(folder, "pytorch_model.bin.index.json", weight_map={"lm_head.weight": "pytorch_model.bin"})


def add_other_weights(folder: Path) -> None:
    zeros = {name: value * 0 for name, value in load_file(folder / "model.safetensors").items()}
    for name in ("consolidated.safetensors", "model.fp16.safetensors", "adapter_model.safetensors"):
        save_file(zeros, folder / name, {"format": "pt"})
    change(folder, "model.fp16.safetensors.index.json", weight_map=dict.fromkeys(zeros, "model.fp16.safetensors"))


def add_odd_generation(folder: Path) -> None:
    change(folder, "generation_config.json", temperature=0.0, do_sample=False, top_k=-5, custom_generate="mine")


def add_chat_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages[0].no.such.thing }}", encoding="utf-8")
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool.jinja").write_text("{% endfor %}", encoding="utf-8")


def add_pipes(folder: Path) -> None:
    os.mkfifo(folder / "notes.md")
    os.mkfifo(folder / "pytorch_model.bin")


def name_weights_in_an_index(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    change(folder, "model.safetensors.index.json", weight_map=dict.fromkeys(weights, "model.safetensors"), metadata={})


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A model that a test may spoil."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


def answer(folder: Path) -> tuple[list[int], torch.Tensor]:
    """The tokens of a text and the logits behind them."""
    ids = load_tokenizer(folder)("Profit of Nordea rose to EUR 5.2 mn .")["input_ids"]
    with torch.inference_mode():
        return ids, load_model(folder, "none", CPU)(input_ids=torch.tensor([ids])).logits


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
def test_what_else_lies_in_the_folder_changes_nothing(folder: Path, tiny_folder: Path, spoil: Spoil) -> None:
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
)


@pytest.mark.parametrize(("spoil", "said"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_would_open_something_else_is_refused(folder: Path, tmp_path: Path, spoil: Spoil, said: str) -> None:
    spoil(folder)
    calls: tuple[Callable[[], object], ...] = (
        lambda: resolve_base_model(str(folder), None, tmp_path),
        lambda: load_model(folder, "none", CPU),
        lambda: load_tokenizer(folder),
    )
    for call in calls:
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value).startswith(f"base model {folder}: {said}")
        assert len(str(caught.value).splitlines()) == 1
    assert not (folder.parent / "a-pickle-was-loaded").exists()


@pytest.mark.parametrize(
    ("spoil", "said"),
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
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_same_holds_for_an_encoder(tiny_encoder: Path, tmp_path: Path, spoil: Spoil, said: str) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    spoil(folder)
    with pytest.raises(InputError) as caught:
        check_encoder_folder(folder)
    assert str(caught.value).startswith(f"embedding model {folder}: {said}")


def test_a_hub_cache_may_link_into_its_own_blobs_alone(folder: Path, tmp_path: Path) -> None:
    cached = tmp_path / "models--org--model"
    snapshot, blob = cached / "snapshots" / "c0ffee", cached / "blobs" / "4d7a21"
    blob.parent.mkdir(parents=True)
    shutil.copytree(folder, snapshot)
    shutil.move(snapshot / "model.safetensors", blob)
    (snapshot / "model.safetensors").symlink_to("../../blobs/4d7a21")
    check_model_folder(snapshot)
    assert torch.equal(answer(snapshot)[1], answer(folder)[1])
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(folder / "config.json")
    with pytest.raises(InputError, match=r"config\.json is a link to .*, outside the folder"):
        check_model_folder(snapshot)


def hash_of_version_1(folder: Path) -> str:
    """How a folder's revision was computed from the first version on: cells of old homes are known by it."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in {".safetensors", ".json", ".model", ".txt"}:
            digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("spoil", [lambda _: None, add_other_weights, add_odd_generation, shard, add_gguf])
def test_a_sound_folder_keeps_the_revision_that_it_always_had(folder: Path, tmp_path: Path, spoil: Spoil) -> None:
    assert resolve_base_model("embedded", None, tmp_path).revision == hash_of_version_1(MODEL_FOLDER)
    spoil(folder)
    assert resolve_base_model(str(folder), None, tmp_path).revision == hash_of_version_1(folder)


def test_weights_that_an_index_names_in_a_folder_below_make_the_revision(folder: Path, tmp_path: Path) -> None:
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

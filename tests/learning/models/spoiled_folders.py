"""Changes of a model's folder: other files in it, shards, and traps that leave a marker when they are loaded."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device
from learning.models.saving import save_fine_tune

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1_000)

Spoil = Callable[[Path], None]


class Trap:
    """An object whose pickle makes a marker next to the folder when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.marker = folder.parent / "a-pickle-was-loaded"

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.marker),))


def change(folder: Path, name: str, **values: Any) -> None:
    file = folder / name
    settings = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps(settings | values), encoding="utf-8")


def shard(folder: Path, weight_map: dict[str, str] | None = None) -> None:
    """Write two shards in place of one file, and an index that names them, changed by `weight_map`."""
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
    from learning.models.adapter import attach_new_adapter

    drawn = attach_new_adapter(load_model(folder, "none", CPU), r=4, alpha=16, dropout=0.1, seed=1)
    for name, weight in drawn.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    save_fine_tune(drawn, folder.parent / "adapter")
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


def answer(folder: Path) -> tuple[list[int], torch.Tensor]:
    """The tokens of a text and the logits after them."""
    ids = load_tokenizer(folder)("Profit of Nordea rose to EUR 5.2 mn .")["input_ids"]
    with torch.inference_mode():
        return ids, load_model(folder, "none", CPU)(input_ids=torch.tensor([ids])).logits

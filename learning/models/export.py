"""Export of a cell's model: its adapter, or whole weights with the adapter merged."""

import gc
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from learning.models.adapter import attach_saved_adapter
from learning.models.adapter_files import ADAPTER_FILES
from learning.models.base_model import NOUN, load_model, load_tokenizer
from learning.models.device import choose_device
from learning.models.model_files import find_carried, find_files
from learning.models.quiet import quiet_libraries
from learning.models.saving import save_pretrained
from learning.prompt.decoding import AnswerSpace
from learning.prompt.encoding import answer_paths
from learning.prompt.template import spellings
from schemas.cell import CellSettings, TrainingSettings
from schemas.evaluation import DecodingSettings
from schemas.model_card import SCRIPT


def write_adapter(adapter_folder: Path, base: str, revision: str | None, output: Path) -> None:
    """Copy an adapter in PEFT's format to a new folder.

    Args:
        adapter_folder: The adapter's folder.
        base: The base model's name on the hub, or its folder.
        revision: Commit of a hub model.
        output: The new folder.
    """
    output.mkdir(parents=True, exist_ok=True)
    for name in ADAPTER_FILES:
        shutil.copyfile(adapter_folder / name, output / name)
    [config] = [output / name for name in ADAPTER_FILES if name.endswith(".json")]
    values = json.loads(config.read_text(encoding="utf-8"))
    values |= {"base_model_name_or_path": base, "revision": revision}
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_merged(
    base_folder: Path, quantization: str, adapter_folder: Path, training: TrainingSettings, output: Path
) -> None:
    """Write the base with the adapter added to it, and its tokenizer, to a new folder.

    The base is loaded as for the training, and a quantised one is dequantised, because the adapter was trained on those
    weights: rounded to bfloat16 before it is quantised, a weight may get another of the 16 values than in float32.
    Added to other weights or rounded back to 4 bits, the adapter would give a different model. Each sum is computed in
    float32, in which adapters are saved, and rounded to the precision of the training.

    Args:
        base_folder: The base model's folder.
        quantization: Quantization with which the adapter was trained.
        adapter_folder: The adapter's folder.
        training: The settings of the training, whose precision the files get.
        output: The new folder, for weights as safetensors.
    """
    model = load_model(base_folder, quantization, choose_device(training))
    with quiet_libraries():
        if quantization != "none":
            model = model.dequantize()
        model = attach_saved_adapter(model, adapter_folder).merge_and_unload()
        for key in ("quantization_config", "auto_map"):  # neither applies to the written weights
            if hasattr(model.config, key):
                delattr(model.config, key)
        if quantization != "none":
            _turn_as_published(model)
        save_pretrained(model, output)
        load_tokenizer(base_folder).save_pretrained(str(output))
    for file in find_carried(find_files(NOUN, base_folder)):
        shutil.copyfile(file, output / file.name)
    del model
    gc.collect()


def write_script(
    base_folder: Path, settings: CellSettings, decoding: DecodingSettings, output: Path, *, merge: bool
) -> None:
    """Write a script that classifies headlines with the export, and the prompt that it reads.

    Args:
        base_folder: The base model's folder.
        settings: The settings of the cell.
        decoding: How the script samples.
        output: The folder of the export.
        merge: Whether it holds whole weights.
    """
    prompt, tokenizer = settings.prompt, load_tokenizer(base_folder)
    vocabulary = max(tokenizer.get_vocab().values()) + 1
    answers = AnswerSpace(tokenizer, vocabulary, spellings(prompt), answer_paths(tokenizer, prompt))
    base = {"quantization": settings.base_model.quantization, "dtype": choose_device(settings.training).dtype_name}
    content = {
        **prompt.model_dump(mode="json", exclude={"spellings", "examples_seed"}),
        **decoding.model_dump(mode="json", include={"top_k", "top_p"}),
        "answers": answers.sequences,
        "base": None if merge else base,
    }
    (output / "prompt.json").write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.copyfile(Path(__file__).with_name(SCRIPT), output / SCRIPT)


def _turn_as_published(model: Any) -> None:
    """Transpose the weights of layers that a family such as GPT-2 stores transposed, and bitsandbytes turned."""
    with torch.device("meta"):
        published = AutoModelForCausalLM.from_config(model.config)
    for name, layer in published.named_modules():
        if isinstance(layer, Conv1D):
            weight = model.get_submodule(name).weight
            weight.data = weight.data.T.contiguous()

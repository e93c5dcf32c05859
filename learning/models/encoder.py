"""Encoders with a classification head for the three labels: loaded, given an adapter, saved and exported."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import AutoConfig, AutoModelForSequenceClassification, set_seed

from learning.models.adapter_files import not_loadable
from learning.models.base_model import (
    NOUN,
    check_all_weights_read,
    check_size_built,
    load_files,
    load_tokenizer,
)
from learning.models.device import Device, is_out_of_memory
from learning.models.encoder_checks import check_fine_tuned, find_labels, is_adapter, most_tokens
from learning.models.model_files import ModelFiles, find_files
from learning.models.quiet import quiet_libraries
from learning.models.saving import save_pretrained
from schemas.cell import LoraSettings
from schemas.label import LABELS, Label

POOLER = "pooler"
"""A layer between an encoder and its head: part of the head, since encoders are often published without it."""


def load_encoder(folder: Path, device: Device, seed: int = 0) -> Any:
    """Load the sequence classifier of a checked folder, in float32 and in evaluation mode.

    Args:
        folder: The model's folder.
        device: Where the weights go.
        seed: Determines the weights of a head that the files do not have.

    Raises:
        InputError: Its files may not be opened, transformers cannot read them, or they lack weights of the encoder.
    """
    files = find_files(NOUN, folder)
    labels = find_labels(files)
    set_seed(seed)
    model, report = load_files(files, lambda place: _load(files, place, device, labels or LABELS))
    prefix = model.base_model_prefix
    check_all_weights_read(folder, report, model.config, lambda name: not labels and _is_of_head(name, prefix))
    model.config.name_or_path = model.name_or_path = str(folder)
    return model.to(device.name).eval()


def _load(files: ModelFiles, place: Path, device: Device, labels: Sequence[Label]) -> Any:
    check_size_built(files, place, AutoModelForSequenceClassification)
    return AutoModelForSequenceClassification.from_pretrained(
        str(place),
        config=_configure(place, labels),
        dtype=torch.float32,
        attn_implementation=device.attention,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )


def _configure(place: Path, labels: Sequence[Label]) -> Any:
    config = AutoConfig.from_pretrained(str(place), trust_remote_code=False, local_files_only=True)
    config.id2label = dict(enumerate(label.value for label in labels))
    config.label2id = {label.value: number for number, label in enumerate(labels)}
    config.problem_type = "single_label_classification"
    return config


def _is_of_head(name: str, prefix: str) -> bool:
    return POOLER in name.split(".") or not name.startswith(f"{prefix}.")


def label_columns(model: Any) -> list[int]:
    """For each of `schemas.label.LABELS`, its column in the logits of a loaded classifier."""
    return [int(model.config.label2id[label.value]) for label in LABELS]


def attach_encoder_adapter(model: Any, lora: LoraSettings) -> PeftModel:
    """Draw a LoRA adapter on all linear layers of the encoder; the head is trained with all its weights.

    The seed of torch's random numbers determines the weights.
    """
    prefix = model.base_model_prefix
    linear = [name for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)]
    heads = {name.split(".")[0] for name, _ in model.named_parameters() if not name.startswith(f"{prefix}.")}
    poolers = {name for name, _ in model.named_modules() if name == f"{prefix}.{POOLER}"}
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        bias="none",
        target_modules=[name for name in linear if not _is_of_head(name, prefix)],
        modules_to_save=sorted(heads | poolers),
        task_type=TaskType.SEQ_CLS,
    )
    with quiet_libraries():
        adapted = get_peft_model(model, config)
    for adapter in adapted.peft_config.values():  # a set would be written in a different order each time
        adapter.target_modules = sorted(adapter.target_modules)
        adapter.modules_to_save = sorted(adapter.modules_to_save)
    return adapted


def load_encoder_tokenizer(folder: Path) -> Any:
    """The tokenizer of an encoder, to which a special token in a headline, such as `[SEP]`, is plain text.

    It is so when it is saved, too.

    Raises:
        InputError: It cannot be loaded.
    """
    tokenizer = load_tokenizer(folder)
    tokenizer.split_special_tokens = tokenizer.init_kwargs["split_special_tokens"] = True
    return tokenizer


def load_fine_tuned(base_folder: Path, folder: Path, expected: str | None, device: Device) -> Any:
    """Load a fine-tune of an encoder in evaluation mode; a LoRA adapter is merged.

    Args:
        base_folder: The base's folder.
        folder: The fine-tune's folder.
        expected: The hash that its files must have; any when None.
        device: Where the weights go.

    Raises:
        AdapterError: The fine-tune has another hash, or is damaged.
    """
    check_fine_tuned(folder, expected)
    if not is_adapter(folder):
        return load_encoder(folder, device)
    base = load_encoder(base_folder, device)
    try:
        with quiet_libraries():
            return PeftModel.from_pretrained(base, str(folder)).merge_and_unload().eval()
    except Exception as error:  # peft raises any kind of error
        if is_out_of_memory(error):
            raise
        raise not_loadable(folder, error) from error


def write_classifier(base_folder: Path, fine_tune: Path, device: Device, output: Path) -> None:
    """Write a fine-tune as a folder that transformers' `pipeline("text-classification")` loads.

    Its tokenizer has the model's own bound, to which the pipeline truncates on request.

    Args:
        base_folder: The base's folder, which has the tokenizer.
        fine_tune: The fine-tune's folder.
        device: Where an adapter is merged.
        output: The folder.
    """
    model = load_fine_tuned(base_folder, fine_tune, None, device)
    save_pretrained(model, output)
    with quiet_libraries():
        tokenizer = load_encoder_tokenizer(base_folder)
        tokenizer.model_max_length = most_tokens(model.config.to_dict()) or tokenizer.model_max_length
        tokenizer.save_pretrained(str(output))
    _drop_paths(output / "config.json")
    if not is_adapter(fine_tune):  # the very bytes that were trained
        shutil.copyfile(fine_tune / "model.safetensors", output / "model.safetensors")


def _drop_paths(config: Path) -> None:
    """Remove the base's path on this machine."""
    values = json.loads(config.read_text(encoding="utf-8"))
    values.pop("_name_or_path", None)
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")

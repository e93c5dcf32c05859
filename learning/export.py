"""A cell's model as files for others, and the proof that the files are that model. Knows no warehouse and no card."""

import gc
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from learning.adapter import attach_saved_adapter
from learning.base_model import load_model, load_tokenizer
from learning.checkpoints import ADAPTER_FILES
from learning.decoding import Decoding
from learning.device import Device, choose_device
from learning.loaded_base import LoadedBase
from learning.quiet import quiet_libraries
from learning.scoring import find_answers, find_token_budget, score_headlines
from schemas.config import PromptSettings, TrainingSettings
from schemas.model_card import Canaries

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.02}
"""How far a probability may be off; what it was scored in before decides. Another model is off by a tenth and more."""


@dataclass(frozen=True)
class CanaryCheck:
    """How the files compare with what is known."""

    headlines: int
    largest_difference: float
    """Of a probability."""
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether they are the same model."""
        return self.largest_difference <= self.tolerance


def write_adapter(adapter_folder: Path, base: str, revision: str | None, output: Path) -> None:
    """Copy an adapter in PEFT's format to a new folder.

    Args:
        adapter_folder: The adapter's folder.
        base: Where others find the base model: its name on the hub, or its folder.
        revision: Of a hub model.
        output: The new folder.
    """
    output.mkdir(parents=True)
    for name in ADAPTER_FILES:
        shutil.copyfile(adapter_folder / name, output / name)
    [config] = [output / name for name in ADAPTER_FILES if name.endswith(".json")]
    values = json.loads(config.read_text(encoding="utf-8"))
    values |= {"base_model_name_or_path": base, "revision": revision}
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_merged(
    base_folder: Path, quantization: str, adapter_folder: Path, training: TrainingSettings, output: Path
) -> None:
    """Write the base with the adapter added in full precision, and its tokenizer, to a new folder.

    A quantised base is dequantised first, for that is the base that the adapter was trained on: added to other weights,
    or rounded back to 4 bits, it would be another model. The sum is computed in float32.

    Args:
        base_folder: The base model's folder.
        quantization: With which the adapter was trained.
        adapter_folder: The adapter's folder.
        training: Its precision decides that of the files.
        output: Where the weights go, as safetensors.
    """
    written = choose_device(training).dtype
    exact = replace(choose_device(training), dtype=torch.float32)
    model = load_model(base_folder, quantization, exact)
    with quiet_libraries():
        if quantization != "none":
            model = model.dequantize()
        model = attach_saved_adapter(model, adapter_folder).merge_and_unload().to(written)
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(str(output))
        load_tokenizer(base_folder).save_pretrained(str(output))
    del model
    gc.collect()


def check_canaries(
    canaries: Canaries, base: tuple[Path, str], adapter_folder: Path | None, prompt: PromptSettings, device: Device
) -> CanaryCheck:
    """Load a model from its files, have it answer the canaries, and compare the probabilities with what is known.

    Args:
        canaries: At least one.
        base: Folder and quantisation of the base or of the whole model.
        adapter_folder: The adapter's, if it is no whole model.
        prompt: What stands around a headline.
        device: Where it is scored.
    """
    loaded = LoadedBase(*base, device)
    model = loaded.score_with(adapter_folder)
    scored = score_headlines(
        model,
        loaded.tokenizer,
        find_answers(model, loaded.tokenizer, prompt),
        canaries.headlines,
        prompt,
        [Decoding(canaries.temperature, canaries.top_k, canaries.top_p)],
        batch_tokens=find_token_budget(model, device),
        on_batch=lambda _: None,
    )
    difference = np.abs(scored.sampled[:, 0].numpy() - canaries.probabilities)
    largest = float(difference.max()) if np.isfinite(difference).all() else float("inf")
    return CanaryCheck(len(canaries.headlines), largest, TOLERANCE[device.dtype])

"""Adapters: LoRA weights on a frozen base, in PEFT's own format."""

import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from transformers import set_seed

from learning.models.adapter_files import AGAIN, AdapterError, check_adapter, not_loadable, tensor_shapes
from learning.models.device import is_out_of_memory
from learning.models.lora_linear import LoraLinear
from learning.models.quiet import quiet_libraries


def attach_new_adapter(
    base: Any, r: int, alpha: float, dropout: float, seed: int, *, is_whole: bool = False
) -> PeftModel:
    """Draw a LoRA adapter on all linear layers of the base.

    The weights are drawn when the adapter is created, so the seed is set here. A is random, B is zero: the adapted
    model begins as the base (Hu et al. 2021).

    Args:
        base: The base model.
        r: Rank of the adapter.
        alpha: The adapter's product is scaled by alpha / r.
        dropout: Probability to drop an element of the adapter's input.
        seed: Determines the weights, and the random numbers drawn after them.
        is_whole: No layer of the base is quantised, so layers compute as in `learning.models.lora_linear`.
    """
    set_seed(seed)
    config = LoraConfig(
        r=r, lora_alpha=alpha, lora_dropout=dropout, bias="none", target_modules="all-linear", task_type="CAUSAL_LM"
    )
    if is_whole:
        _use_own_layers(config)
    with quiet_libraries(), base.device:  # a GPU draws weights faster than a CPU
        model = get_peft_model(base, config)
    for adapter in model.peft_config.values():  # a set would be written in a different order each time
        adapter.target_modules = sorted(adapter.target_modules)
    return model


def attach_saved_adapter(base: Any, folder: Path, expected: str | None = None, *, is_whole: bool = False) -> PeftModel:
    """Load an adapter from its folder on to the base, in evaluation mode.

    Args:
        base: The base model.
        folder: The adapter's folder.
        expected: The hash that its files must have; any when None.
        is_whole: No layer of the base is quantised: the adapter's weights get the base's dtype, and layers compute as
            in `learning.models.lora_linear`.

    Raises:
        AdapterError: The adapter has another hash, is damaged, or was trained on another base model.
    """
    check_adapter(folder, expected)
    try:
        with quiet_libraries(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of missing weights; the loaded ones are compared below
            config = LoraConfig.from_pretrained(str(folder))
            if is_whole:
                _use_own_layers(config)
            # Not drawing the weights before they are read loads a large adapter in a fraction of the time.
            model = PeftModel.from_pretrained(base, str(folder), config=config, low_cpu_mem_usage=is_whole).eval()
    except Exception as error:  # peft raises any kind of error
        if is_out_of_memory(error):
            raise
        raise not_loadable(folder, error) from error
    held, wanted = tensor_shapes(folder), get_peft_model_state_dict(model, save_embedding_layers=False)
    if held != {name: tuple(value.shape) for name, value in wanted.items()}:
        model.unload()
        raise AdapterError(f"adapter {folder}: its weights are not those of all linear layers of the base; {AGAIN}")
    if is_whole:
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.data = weight.data.to(base.dtype)
    return model


def _use_own_layers(config: LoraConfig) -> None:
    config._register_custom_module({torch.nn.Linear: LoraLinear})  # noqa: SLF001 (peft's way in, under this name)

"""The model that scores: the function of the quantised base with its adapter, in as few products as memory allows.

Where activations are float32 and the whole weights fit into memory, they are dequantised once and the adapter is added
to them in float32: the same function, without dequantising and without the adapter's own products at every step. This
is not merging into 4-bit weights, which rounds anew and changes predictions. Elsewhere the model stays as it was
trained. Knows no headline and no temperature.
"""

from pathlib import Path
from typing import Any

import torch

from learning.adapter import attach_saved_adapter
from learning.base_model import load_model
from learning.device import Device, free_memory_bytes
from learning.quiet import quiet_libraries

FLOAT32_BYTES = 4
MOST_OF_MEMORY = 0.5
"""Share of the free memory that whole weights may take: dequantising holds both forms for a while."""


def load_scoring_model(folder: Path, quantization: str, adapter_folder: Path | None, device: Device) -> Any:
    """Load a base model, and an adapter on it, in evaluation mode.

    Args:
        folder: The base model's folder.
        quantization: Of its weights, `nf4` or `none`.
        adapter_folder: None for the untouched base.
        device: Where it scores.

    Raises:
        BaseModelError: The folder is not fit.
    """
    model = load_model(folder, quantization, device)
    whole = device.dtype is torch.float32 and _fits_whole(model, device)
    if whole and quantization != "none":
        with quiet_libraries():
            model = model.dequantize()
    if adapter_folder is not None:
        model = attach_saved_adapter(model, adapter_folder)
        if whole:
            model = model.merge_and_unload()
    return model.eval()


def find_token_budget(model: Any, device: Device) -> int:
    """Tokens of one forward pass: as many as speed up scoring on the device, and fit into half of its free memory.

    A token holds its keys and values in every layer, and what one layer computes of it, at the arithmetic's width.
    """
    config = model.config
    hidden, layers = config.hidden_size, config.num_hidden_layers
    intermediate = getattr(config, "intermediate_size", None) or 4 * hidden
    heads = config.num_attention_heads
    key_values = hidden * getattr(config, "num_key_value_heads", heads) // heads
    width = torch.finfo(device.dtype).bits // 8
    bytes_a_token = width * (2 * layers * key_values + 6 * hidden + 3 * intermediate)
    return min(device.scoring_tokens, int(MOST_OF_MEMORY * free_memory_bytes(device) / bytes_a_token))


def _fits_whole(model: Any, device: Device) -> bool:
    return bool(FLOAT32_BYTES * model.num_parameters() <= MOST_OF_MEMORY * free_memory_bytes(device))

"""What the machine can do at most, and a model large enough to ask it of a GPU."""

import time
from pathlib import Path

import torch

from learning.models.base_model import load_tokenizer
from learning.models.device import Device

LARGE = {"hidden_size": 4_096, "intermediate_size": 11_008, "num_hidden_layers": 32, "num_attention_heads": 32}
"""The shape of Llama 2 7B."""


def measure_matmul_rate(device: Device) -> float:
    """The machine's matrix-multiply rate in FLOP/s: the best of several sizes, in the dtype of activations."""
    fastest, sizes = 0.0, [(2_048, 2_048, 2_048), (4_096, 1_024, 4_096), (1_024, 4_096, 4_096)]
    if device.name == "cuda":
        sizes.append((8_192, 8_192, 8_192))
    for rows, inner, columns in sizes:
        left, right = (
            torch.randn(shape, dtype=device.dtype, device=device.name) for shape in ((rows, inner), (columns, inner))
        )
        for _ in range(8):
            start = time.perf_counter()
            torch.nn.functional.linear(left, right)
            if device.name == "cuda":
                torch.cuda.synchronize()
            fastest = max(fastest, 2 * rows * inner * columns / (time.perf_counter() - start))
    return fastest


def write_large_model(folder: Path, tokenizer_folder: Path) -> Path:
    """Write a Llama of the shape of Llama 2 7B with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = load_tokenizer(tokenizer_folder)
    torch.manual_seed(42)
    config = LlamaConfig(vocab_size=max(len(tokenizer), 32_000), max_position_embeddings=4_096, **LARGE)
    with torch.device("cuda"):
        torch.set_default_dtype(torch.bfloat16)
        model = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

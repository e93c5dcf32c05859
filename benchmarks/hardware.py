"""The machine's highest matrix-multiply rate, and a model that is large enough to measure a GPU."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from learning.models.base_model import load_tokenizer
from learning.models.device import Device
from learning.prompt.encoding import EncodedExample, common_prefix_length

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


def linear_layers(model: Any) -> list[torch.nn.Linear]:
    """The linear layers of a model, except its output head."""
    head = model.get_output_embeddings()
    return [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear) and layer is not head]


def count_weights(model: Any, rank: int = 0) -> int:
    """Weights of the linear layers except the output head, or of an adapter on them if a rank is given."""
    return sum(
        rank * (layer.in_features + layer.out_features) if rank else layer.in_features * layer.out_features
        for layer in linear_layers(model)
    )


def count_training_flops(
    model: Any, examples: Sequence[EncodedExample], batch_size: int, rank: int, *, whole_text: bool
) -> float:
    """The fewest FLOPs per example for training an adapter, in packs of a batch, forward and backward.

    Two for each weight and token forward; backward two for the gradient of the input and, for an adapter's weights,
    two for the gradient of the weight. The head is frozen and computes only the tokens under the loss.
    """
    prefix = common_prefix_length([example.input_ids for example in examples])
    tokens = mean(len(example.input_ids) for example in examples) - prefix + prefix / batch_size
    answered = mean(len(example.input_ids) - example.answer_start for example in examples)
    head = model.get_output_embeddings()
    layers = tokens * (4 * count_weights(model) + 6 * count_weights(model, rank))
    return float(layers + (tokens if whole_text else answered) * 4 * head.in_features * head.out_features)


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

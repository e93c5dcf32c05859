"""Tolerances for results that a GPU computes twice, in another order or in other shapes."""

from pathlib import Path

import torch
from safetensors.torch import load_file

LOGITS = {torch.float32: 1e-3, torch.bfloat16: 0.3}
"""For one logit of the embedded model: the largest are about 20, where two neighbours in bfloat16 are 0.125 apart."""
SLACK = {torch.float32: 1e-6, torch.bfloat16: 0.04}
"""In addition, for a probability: where a top-k cut ends, rounding decides which tokens tie and stay."""
ON_AVERAGE = {torch.float32: 5e-4, torch.bfloat16: 0.02}
"""For the mean difference of a probability over many headlines."""
ADAPTER = {torch.float32: 0.02, torch.bfloat16: 0.2}
"""For a trained weight, relative to its norm. Adam makes a full step even if rounding decides the gradient's sign."""


def load_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of an adapter."""
    weights: dict[str, torch.Tensor] = load_file(folder / "adapter_model.safetensors")
    return weights


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest distance between two weights of the same name, relative to the norm of the second."""
    assert one.keys() == other.keys()
    return max(
        float(torch.linalg.norm(one[name].float() - value.float()) / torch.linalg.norm(value.float()))
        for name, value in other.items()
    )


def check_probabilities(measured: torch.Tensor, expected: torch.Tensor, temperature: float, dtype: torch.dtype) -> None:
    """Check that probabilities differ only as much as rounding of the logits allows.

    If a logit changes by at most e, the odds of a label change by at most a factor of exp(2 e / T).
    """
    odds, moved = torch.logit(expected), 2 * LOGITS[dtype] / temperature
    assert (measured >= torch.sigmoid(odds - moved) - SLACK[dtype]).all()
    assert (measured <= torch.sigmoid(odds + moved) + SLACK[dtype]).all()
    assert (measured - expected).abs().mean() <= ON_AVERAGE[dtype]

"""How far rounding may move what is computed twice on a GPU, in another order or in other shapes."""

from pathlib import Path

import torch
from safetensors.torch import load_file

LOGITS = {torch.float32: 1e-3, torch.bfloat16: 0.3}
"""Of one logit of the embedded model: the largest are some 20, where two neighbours in bfloat16 are 0.125 apart."""
SLACK = {torch.float32: 1e-6, torch.bfloat16: 0.04}
"""Of a probability besides: at the place where a top-k cut ends, rounding decides which tokens tie and stay."""
ON_AVERAGE = {torch.float32: 5e-4, torch.bfloat16: 0.02}
"""Of a probability, over many headlines."""
ADAPTER = {torch.float32: 0.02, torch.bfloat16: 0.2}
"""Of a trained weight, relative to its norm. Adam makes a full step of a gradient whose sign rounding decides."""


def load_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of an adapter."""
    weights: dict[str, torch.Tensor] = load_file(folder / "adapter_model.safetensors")
    return weights


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest distance of two weights of a name, relative to the norm of the other's."""
    assert one.keys() == other.keys()
    return max(
        float(torch.linalg.norm(one[name].float() - value.float()) / torch.linalg.norm(value.float()))
        for name, value in other.items()
    )


def check_probabilities(measured: torch.Tensor, expected: torch.Tensor, temperature: float, dtype: torch.dtype) -> None:
    """Whether probabilities differ by no more than rounding of the logits makes of them.

    Where a logit moves by e at most, the odds of a label move by a factor of exp(2 e / T) at most.
    """
    odds, moved = torch.logit(expected), 2 * LOGITS[dtype] / temperature
    assert (measured >= torch.sigmoid(odds - moved) - SLACK[dtype]).all()
    assert (measured <= torch.sigmoid(odds + moved) + SLACK[dtype]).all()
    assert (measured - expected).abs().mean() <= ON_AVERAGE[dtype]

"""Norms in one kernel: on a GPU, the families' own take a tenth of a training's time in a dozen small ones."""

import copy
from typing import Any

import torch

EXPECTED = "RMSNorm"
"""How the families name their root-mean-square norms (Zhang and Sennrich 2019)."""
SAME = 1e-5
"""Of an element, relative to it."""


def fuse_norms(model: Any) -> int:
    """Put torch's root-mean-square norm in the place of a model's own, wherever it gives the same.

    In bfloat16 it rounds once, where the families' own round twice.

    Args:
        model: Of transformers. Its weights stay the same objects.

    Returns:
        How many took its place.
    """
    found = [(name, module) for name, module in model.named_modules() if type(module).__name__.endswith(EXPECTED)]
    fused = 0
    for name, module in found:
        norm = _like(module)
        if norm is not None:
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, norm)
            fused += 1
    return fused


def _like(module: torch.nn.Module) -> torch.nn.RMSNorm | None:
    """Torch's norm with the weight of the module; None where it gives something else."""
    weight = getattr(module, "weight", None)
    epsilon = getattr(module, "variance_epsilon", getattr(module, "eps", None))
    if weight is None or weight.dim() != 1 or not isinstance(epsilon, float):
        return None
    norm = torch.nn.RMSNorm(len(weight), eps=epsilon, device="meta")
    exact = copy.deepcopy(module).float()  # in bfloat16, a norm that adds one to a large weight would look the same
    norm.weight = torch.nn.Parameter(weight.float(), requires_grad=False)
    drawn = torch.linspace(-2, 3, 3 * len(weight), device=weight.device).view(3, -1)
    with torch.no_grad():
        expected, own = exact(drawn), norm(drawn)
    norm.weight = weight
    return norm if torch.allclose(own, expected, rtol=SAME, atol=SAME * float(expected.abs().mean())) else None

"""Rotary positions in three kernels each way; the families' own function takes five forward and eight backward."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

FUNCTION = "apply_rotary_pos_emb"
"""Name of the families' own function, in each family's module."""
SAME = 1e-5


@contextmanager
def fused_rotary(model: Any) -> Iterator[None]:
    """In the block, replace the function by which the model's attention rotates with `rotate`, if both are the same.

    Args:
        model: A model of transformers.
    """
    names = {type(module).__module__ for module in model.modules() if "Attention" in type(module).__name__}
    found = {name: getattr(sys.modules[name], FUNCTION, None) for name in names}
    replaced = {name: function for name, function in found.items() if function is not None and _is_same(function)}
    try:
        for name, function in replaced.items():
            setattr(sys.modules[name], FUNCTION, partial(_rotate_if_plain, function))
        yield
    finally:
        for name, function in replaced.items():
            setattr(sys.modules[name], FUNCTION, function)


def rotate(
    query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, unsqueeze_dim: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotate queries and keys to their positions (Su et al. 2021), in the halves that the Llama family pairs.

    Args:
        query: [S, heads, T, width].
        key: [S, heads, T, width]; the heads may be fewer.
        cos: [S, T, width].
        sin: [S, T, width].
        unsqueeze_dim: Dimension of the heads.
    """
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
    return _Rotation.apply(query, cos, sin), _Rotation.apply(key, cos, sin)  # type: ignore[no-untyped-call]


def _rotate_if_plain(
    usual: Callable[..., Any],
    query: torch.Tensor,
    key: torch.Tensor,
    cos: torch.Tensor,
    sin: torch.Tensor,
    **named: Any,
) -> Any:
    """Rotate with `rotate`, or with the family's own function for a part of a head or for mixed dtypes."""
    is_plain = cos.dtype == query.dtype == key.dtype and cos.shape[-1] == query.shape[-1] == key.shape[-1]
    return (rotate if is_plain else usual)(query, key, cos, sin, **named)


class _Rotation(torch.autograd.Function):
    """`x cos + (-x2, x1) sin` for the two halves of x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(cos, sin)
        half = x.shape[-1] // 2
        result = x * cos
        result[..., :half].addcmul_(x[..., half:], sin[..., :half], value=-1)
        result[..., half:].addcmul_(x[..., :half], sin[..., half:])
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        [gradient] = gradients
        cos, sin = ctx.saved_tensors
        half = gradient.shape[-1] // 2
        result = gradient * cos
        result[..., :half].addcmul_(gradient[..., half:], sin[..., half:])
        result[..., half:].addcmul_(gradient[..., :half], sin[..., :half], value=-1)
        return result, None, None


def _is_same(function: Callable[..., Any]) -> bool:
    """Whether a family's function gives the same result as `rotate`."""
    query, key = torch.linspace(-1, 2, 2 * 3 * 8).view(1, 2, 3, 8), torch.linspace(1, -2, 3 * 8).view(1, 1, 3, 8)
    angles = torch.linspace(0, 5, 3 * 8).view(1, 3, 8)
    try:
        expected = function(query, key, angles.cos(), angles.sin())
    except (TypeError, ValueError, RuntimeError):
        return False
    rotated = rotate(query, key, angles.cos(), angles.sin())
    return len(expected) == len(rotated) and all(
        one.shape == other.shape and bool((one - other).abs().max() < SAME)
        for one, other in zip(expected, rotated, strict=True)
    )

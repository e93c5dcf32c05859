"""Whether a model gives the same logits in two ways of computing them."""

import torch

UNFIT = (TypeError, ValueError, IndexError, AttributeError, NotImplementedError, RuntimeError)
"""Errors of models that cannot be computed in one of the ways; lack of memory is among them, see `is_out_of_memory`."""


def is_alike(one: torch.Tensor, other: torch.Tensor, tolerance: float) -> bool:
    """Whether logits differ by at most this share of the largest of `other`; NaN differs from everything."""
    return bool((one - other).abs().max() <= tolerance * other.abs().max())

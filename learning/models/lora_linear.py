"""LoRA's linear layer, `x W' + s dropout(x) A' B'`, as one autograd step to train in float32, or to score.

The same function as peft's layer, with half of its passes over the activations, and a dropout that draws 16 random
bits per element: on a CPU, dropout takes a good part of a small model's training time.
"""

import math
from typing import Any

import torch
from peft.tuners.lora.layer import Linear

RANDOM_BITS = 16
FULL = 1 << RANDOM_BITS
A_WORD = 4
"""Elements whose dropout one random 64-bit word determines."""


class LoraLinear(Linear):  # type: ignore[misc]
    """peft's layer, in one step if there is one adapter with the weights' dtype: to train in float32, or to score."""

    def forward(self, x: torch.Tensor, *arguments: Any, **named: Any) -> torch.Tensor:
        """Map [..., in] to [..., out], as peft's layer does."""
        [adapter] = self.active_adapters if len(self.active_adapters) == 1 else [None]
        base = self.base_layer
        is_plain = adapter in self.lora_A and not (self.disable_adapters or self.merged or arguments or named)
        dtypes = {x.dtype, base.weight.dtype, self.lora_A[adapter].weight.dtype} if is_plain else set()
        if len(dtypes) != 1 or torch.is_autocast_enabled(x.device.type):
            return super().forward(x, *arguments, **named)  # type: ignore[no-any-return]
        a, b = self.lora_A[adapter].weight, self.lora_B[adapter].weight
        rows, scaling = x.reshape(-1, x.shape[-1]), self.scaling[adapter]
        if torch.is_inference_mode_enabled():
            low = torch.nn.functional.linear(rows, a)
            product = torch.nn.functional.linear(rows, base.weight, base.bias).addmm_(low, b.t(), alpha=scaling)
        elif self.training and x.dtype == torch.float32:
            dropout = getattr(self.lora_dropout[adapter], "p", 0.0)
            product = _Product.apply(rows, base.weight, base.bias, a, b, scaling, dropout)  # type: ignore[no-untyped-call]
        else:
            return super().forward(x, *arguments, **named)  # type: ignore[no-any-return]
        return product.view(*x.shape[:-1], -1)


def draw_kept(rows: torch.Tensor, dropout: float) -> tuple[torch.Tensor, float]:
    """A dropout mask, from torch's default generator of the device.

    Args:
        rows: The elements to mask.
        dropout: Probability to drop one, less than 1; it is rounded to a 65,536th.

    Returns:
        1 for each kept element and 0 for any other, and the probability to keep one, by which kept elements are to be
        divided.
    """
    threshold = min(round(dropout * FULL), FULL - 1)
    words = torch.empty(math.ceil(rows.numel() / A_WORD), dtype=torch.int64, device=rows.device)
    words.random_(torch.iinfo(torch.int64).min, None)
    bits = words.view(torch.int16)[: rows.numel()].view_as(rows)
    return (bits >= threshold - FULL // 2).to(rows.dtype), 1 - threshold / FULL


class _Product(torch.autograd.Function):
    """N rows: [N, in] and frozen weights [out, in] with bias [out], adapter A [r, in] and B [out, r], to [N, out]."""

    @staticmethod
    def forward(
        ctx: Any,
        rows: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        a: torch.Tensor,
        b: torch.Tensor,
        scaling: float,
        dropout: float,
    ) -> torch.Tensor:
        result = torch.nn.functional.linear(rows, weight, bias)
        kept, dropped = None, rows
        if dropout:
            kept, probability = draw_kept(rows, dropout)
            dropped, scaling = rows * kept, scaling / probability
        low = (dropped @ a.t()).mul_(scaling)
        ctx.scaling = scaling
        ctx.save_for_backward(dropped, kept, low, weight, a, b)
        return result.addmm_(low, b.t())

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        [gradient] = gradients
        dropped, kept, low, weight, a, b = ctx.saved_tensors
        low_gradient = (gradient @ b).mul_(ctx.scaling)
        rows_gradient = None
        if ctx.needs_input_grad[0]:
            rows_gradient = gradient @ weight
            through = low_gradient @ a
            rows_gradient += through if kept is None else through.mul_(kept)
        return rows_gradient, None, None, low_gradient.t() @ dropped, gradient.t() @ low, None, None

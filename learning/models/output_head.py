"""The output head of a model and the loss over it, a few rows of logits at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import linear

LOGITS_AT_ONCE = {"cpu": 2**22, "cuda": 2**27}
"""Logits in memory at a time: on a CPU 16 MB in float32, which stay in its cache between the passes over them."""
SAME = 1e-4
"""Largest allowed difference of the head's logits from the model's, relative to the largest logit."""


class OutputHead:
    """A frozen linear map from the last hidden states to the logits, with nothing after it."""

    def __init__(self, module: torch.nn.Linear) -> None:
        """Use this map."""
        self.module = module

    @classmethod
    def find(cls, model: Any) -> "OutputHead | None":
        """The head of a causal language model; None if the logits are not exactly its output, as when they are capped.

        Args:
            model: A model of transformers, with or without adapter. It computes the logits of three tokens.
        """
        module = model.get_output_embeddings()
        if type(module) is not torch.nn.Linear or module.weight.requires_grad:  # a 4-bit layer is one too
            return None
        head, was_training = cls(module), model.training
        tokens = torch.arange(3, device=module.weight.device)[None]
        model.eval()
        with torch.no_grad():
            logits = model(input_ids=tokens, use_cache=False).logits.float()
            with head.left_out():
                hidden = model(input_ids=tokens, use_cache=False).logits
            found = linear(hidden.to(module.weight.dtype), module.weight, module.bias).float()
        model.train(was_training)
        same = found.shape == logits.shape and bool((found - logits).abs().max() <= SAME * logits.abs().max())
        return head if same else None

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """In the block, let the model return the last hidden states instead of its logits."""
        hooked = vars(self.module).get("forward")  # libraries that move models between devices put their own there
        self.module.forward = torch.nn.Identity().forward  # type: ignore[method-assign]
        try:
            yield
        finally:
            if hooked is None:
                del self.module.forward
            else:
                self.module.forward = hooked  # type: ignore[method-assign]

    def add_losses(
        self, hidden: torch.Tensor, rows: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The weighted sum of cross-entropies in nats, and each target's share of it, which has no gradient.

        Args:
            hidden: [K, D] last hidden states.
            rows: [M] for each target, the index of the hidden state that predicts it.
            targets: [M] token ids.
            weights: [M] float32.
        """
        head = (self.module.weight, self.module.bias)
        losses: tuple[torch.Tensor, torch.Tensor] = _HeadLoss.apply(  # type: ignore[no-untyped-call]
            hidden, *head, rows, targets, weights
        )
        return losses


def add_losses(logits: torch.Tensor, rows: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The weighted sum of cross-entropies in nats, from logits [K, vocabulary]; see `OutputHead.add_losses`.

    torch's own cross-entropy adds up the exponentials of a large vocabulary with an error of 1e-5 on a CPU.
    """
    logits = logits.float()
    return ((logits.logsumexp(dim=-1)[rows] - logits[rows, targets]) * weights).sum()


class _HeadLoss(torch.autograd.Function):
    """The loss and the gradient of the hidden states together, from the logits of a few rows at a time.

    All logits at once, with their exponentials and the gradients of both, would be four times K x vocabulary numbers,
    which pass through memory a dozen times.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        rows: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        inputs = hidden.to(weight.dtype)
        gradient, losses = torch.empty_like(inputs), torch.zeros_like(weights)
        totals = weights.new_zeros(len(hidden)).index_add_(0, rows, weights)
        step = max(LOGITS_AT_ONCE[hidden.device.type] // len(weight), 1)
        for start in range(0, len(hidden), step):
            part = slice(start, start + step)
            logits = linear(inputs[part], weight, bias).float()
            # Targets of other parts get weight 0: selecting those of this part would make the CPU wait for the GPU.
            inside = (rows >= start) & (rows < start + step)
            share = torch.where(inside, weights, 0)
            places = ((rows - start).clamp(0, len(logits) - 1), targets)
            normalisers = logits.logsumexp(dim=-1)
            losses += torch.where(inside, normalisers[places[0]] - logits[places], 0) * weights  # 0 times NaN is NaN
            logits.sub_(normalisers[:, None]).exp_().mul_(totals[part, None])
            logits.index_put_(places, -share, accumulate=True)
            gradient[part] = logits.to(weight.dtype) @ weight
        ctx.save_for_backward(gradient.to(hidden.dtype))
        ctx.mark_non_differentiable(losses)
        return losses.sum(), losses

    @staticmethod
    def backward(ctx: Any, outer: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * outer, None, None, None, None, None

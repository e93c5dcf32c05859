"""Several adapters on one base in one pass: each row of a batch goes through its own adapter.

The base's products are computed once for all rows, which reads its weights once and makes the matrices larger. The
adapters' float32 weights and gradients are in one buffer each; peft's parameters become views of it. The products read
a copy in the base's dtype, made once per pass. The backward pass adds gradients of the adapters to their buffer without
autograd's bookkeeping, which would take longer than the products.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch.nn.functional import linear


def structural_copy(model: Any) -> Any:
    """A copy of the model's modules over the same weights: an adapter on the copy leaves the model unchanged."""
    tensors = chain(model.parameters(), model.buffers())
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


@dataclass(frozen=True)
class _Place:
    """The places of one layer's two matrices in a buffer's row."""

    start: int
    a: torch.Size
    b: torch.Size

    @property
    def middle(self) -> int:
        return self.start + self.a.numel()

    @property
    def end(self) -> int:
        return self.middle + self.b.numel()


class AdapterStack:
    """Buffers for S adapters of one shape on a copy of their base, which computes a batch of S rows."""

    def __init__(self, model: Any, like: PeftModel, size: int, longest: int) -> None:
        """Allocate the buffers and replace the model's layers.

        Args:
            model: A structural copy of the base, whose linear layers are replaced.
            like: A model of peft with a LoRA adapter of the same shape.
            size: S.
            longest: Tokens for which dropout is drawn, at least as many as any row has; so a row's dropout does not
                depend on longer rows in the batch.
        """
        self.model, self.size, self.longest = model, size, longest
        layers = _layers_of(like)
        places, total = {}, 0
        for name, layer in layers.items():
            places[name] = _Place(total, layer.lora_A["default"].weight.shape, layer.lora_B["default"].weight.shape)
            total = places[name].end
        weight = next(model.parameters())
        self.weights = torch.zeros(size, total, device=weight.device)
        self.gradients = torch.zeros_like(self.weights)
        self.computed = self.weights if weight.dtype == torch.float32 else self.weights.to(weight.dtype)
        self.generators = [torch.Generator(weight.device) for _ in range(size)]
        self._places, self._seeds = places, (0,) * size
        self._parameters: list[list[tuple[torch.nn.Parameter, torch.Tensor]]] = []
        anchor = torch.zeros((), device=weight.device, requires_grad=True)
        for name, place in places.items():
            layer = layers[name]
            dropout = getattr(layer.lora_dropout["default"], "p", 0.0)
            base = model.get_submodule(name)
            stacked = _StackedLinear(base, self, place, layer.scaling["default"], dropout, anchor)
            parent, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(parent), attribute, stacked)

    def take(self, adapters: Sequence[PeftModel], seeds: Sequence[int]) -> None:
        """Copy the weights of S adapters into the stack; their parameters become views of its buffers.

        Args:
            adapters: Models of peft with one LoRA adapter each.
            seeds: Each adapter's dropout depends on its seed and the number of the step.
        """
        self._parameters, self._seeds = [], tuple(seeds)
        for number, adapter in enumerate(adapters):
            self._parameters.append([])
            layers = _layers_of(adapter)
            for name, place in self._places.items():
                for module, start, shape in (
                    (layers[name].lora_A["default"], place.start, place.a),
                    (layers[name].lora_B["default"], place.middle, place.b),
                ):
                    part = slice(start, start + shape.numel())
                    view = self.weights[number, part].view(shape)
                    view.copy_(module.weight.data)
                    module.weight.data = view
                    gradient = self.gradients[number, part].view(shape)
                    if module.weight.grad is not None:  # gradients of a batch that another stack has begun
                        gradient.copy_(module.weight.grad)
                        module.weight.grad = gradient
                    self._parameters[-1].append((module.weight, gradient))

    def draw(self, steps: Sequence[int]) -> None:
        """Seed the dropout of a pass: each adapter's depends only on its seed and step, not on earlier passes."""
        for generator, seed, step in zip(self.generators, self._seeds, steps, strict=True):
            generator.manual_seed((seed * 1_000_003 + step) % 2**63)

    def refresh(self) -> None:
        """Copy the current weights for the products."""
        if self.computed is not self.weights:
            self.computed.copy_(self.weights)

    def hand_over_gradients(self, number: int) -> None:
        """Zero the gradients of one adapter and attach them to its parameters, unless they are attached already."""
        parameters = self._parameters[number]
        if parameters[0][0].grad is None:
            self.gradients[number].zero_()
            for weight, gradient in parameters:
                weight.grad = gradient


class _StackedLinear(torch.nn.Module):
    """A frozen linear layer whose row s of a batch goes through adapter s too."""

    def __init__(
        self,
        base: torch.nn.Linear,
        stack: AdapterStack,
        place: _Place,
        scaling: float,
        dropout: float,
        anchor: torch.Tensor,
    ) -> None:
        super().__init__()
        self.base = base
        self._stack, self._scaling, self._dropout, self._anchor = [stack], scaling, dropout, anchor
        size, (start, middle, end) = stack.size, (place.start, place.middle, place.end)
        self._a = stack.computed[:, start:middle].view(size, *place.a)
        self._b = stack.computed[:, middle:end].view(size, *place.b)
        self._a_gradient = stack.gradients[:, start:middle].view(size, *place.a)
        self._b_gradient = stack.gradients[:, middle:end].view(size, *place.b)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map [S, T, in] to [S, T, out]."""
        product: torch.Tensor = _Product.apply(  # type: ignore[no-untyped-call]
            x,
            self._anchor,
            (self.base.weight, self.base.bias, self._a, self._b, self._a_gradient, self._b_gradient),
            self._scaling,
            self._dropout,
            self._stack[0].longest,
            self._stack[0].generators,
        )
        return product


class _Product(torch.autograd.Function):
    """`x W' + s dropout(x) A' B'` for S rows at once, with A [S, r, in] and B [S, out, r].

    The anchor requires gradients if nothing else does, as in the first layer. Gradients of A and B are added to
    their buffers.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        anchor: torch.Tensor,  # noqa: ARG004
        tensors: tuple[torch.Tensor, torch.Tensor | None, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
        scaling: float,
        dropout: float,
        longest: int,
        generators: Sequence[torch.Generator],
    ) -> torch.Tensor:
        weight, bias, a, b, *_ = tensors
        result = linear(x, weight, bias)
        lost, dropped = None, x
        if dropout:
            rows, length, width = x.shape
            kept = torch.empty(rows, max(length, longest), width, dtype=torch.bool, device=x.device)
            for row, generator in zip(kept, generators, strict=True):
                row.bernoulli_(1 - dropout, generator=generator)
            lost = kept[:, :length].logical_not()
            dropped, scaling = x.masked_fill(lost, 0), scaling / (1 - dropout)
        low = torch.bmm(dropped, a.transpose(1, 2))
        ctx.tensors, ctx.scaling = tensors, scaling
        ctx.save_for_backward(x, lost, low)
        return result.baddbmm_(low, b.transpose(1, 2), alpha=scaling)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        [gradient] = gradients
        x, lost, low = ctx.saved_tensors
        weight, _, a, b, a_gradient, b_gradient = ctx.tensors
        dropped = x if lost is None else x.masked_fill(lost, 0)
        low_gradient = torch.bmm(gradient, b)
        _add_product(a_gradient, low_gradient.transpose(1, 2), dropped, ctx.scaling)
        _add_product(b_gradient, gradient.transpose(1, 2), low, ctx.scaling)
        x_gradient = None
        if ctx.needs_input_grad[0]:
            x_gradient = gradient @ weight
            if lost is None:
                x_gradient.baddbmm_(low_gradient, a, alpha=ctx.scaling)
            else:
                x_gradient.add_(torch.bmm(low_gradient, a).masked_fill_(lost, 0), alpha=ctx.scaling)
        return x_gradient, None, None, None, None, None, None


def _add_product(buffer: torch.Tensor, left: torch.Tensor, right: torch.Tensor, scaling: float) -> None:
    """Add `scaling left right` to a buffer in place; on a GPU, bfloat16 products are added to float32 unrounded."""
    if buffer.dtype == left.dtype:
        buffer.baddbmm_(left, right, alpha=scaling)
    elif buffer.device.type == "cuda":
        torch.baddbmm(buffer, left, right, out_dtype=buffer.dtype, alpha=scaling, out=buffer)
    else:
        buffer.add_(torch.bmm(left, right), alpha=scaling)


def _layers_of(adapter: PeftModel) -> dict[str, Any]:
    """The layers of peft that hold the adapter, by their names in the base."""
    modules = adapter.base_model.model.named_modules()
    return {name: module for name, module in modules if isinstance(module, LoraLayer)}

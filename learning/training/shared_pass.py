"""One pass over the base for several trainings: their packs side by side, each behind an adapter of its own.

On a GPU a pass over a pack of a few hundred tokens takes less time than starting its thousands of kernels. So the pass
is recorded as a CUDA graph, once for each shape; packs are filled up to few shapes with tokens that count nothing.
"""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from torch.nn.functional import pad

from learning.models.output_head import OutputHead
from learning.models.stacked_lora import AdapterStack, structural_copy
from learning.training.lockstep import Lockstep
from learning.training.packing import block_mask

STEP_OF_TOKENS = 64
"""Packs are filled up to a multiple of so many tokens, as are the targets of a loss over all of them."""
STEP_OF_TARGETS = 16
"""The targets of a loss over the labels alone are filled up to a multiple of this."""
FEW = 4
"""A loss over so small a part of the tokens is one over the labels alone."""
WARM_UPS = 2
NOBODY = -2
"""The owner of tokens that fill up a pack: no other token sees them."""


@dataclass(frozen=True)
class _Batch:
    """Packs of S adapters, filled up to one shape of T tokens, K positions and M targets."""

    input_ids: torch.Tensor
    """[S, T] int64."""
    position_ids: torch.Tensor
    """[S, T] int64."""
    owners: torch.Tensor
    """[S, T] int64."""
    kept: torch.Tensor
    """[S * K] int64: positions that predict a target, in the flattened batch."""
    rows: torch.Tensor
    """[S * M] int64: for each target, which of the kept positions predicts it."""
    targets: torch.Tensor
    """[S * M] int64."""
    weights: torch.Tensor
    """[S * M] float32: of each target in its adapter's loss; 0 for what fills up."""

    def tensors(self) -> tuple[torch.Tensor, ...]:
        return tuple(vars(self).values())

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.input_ids.shape, len(self.kept), len(self.targets))


class SharedPass:
    """What several trainings do together: they meet for each pass, and get the gradients of their own adapters."""

    def __init__(self, base: Any, adapters: Sequence[PeftModel], seeds: Sequence[int]) -> None:
        """Take the adapters' weights over.

        Args:
            base: The whole base model, whose logits are what its output head gives; it stays as it is.
            adapters: Of the trainings, in order; alike but for their weights.
            seeds: Of each training's dropout.
        """
        self._base, self._adapters, self._seeds = base, list(adapters), list(seeds)
        self._head: OutputHead | None = None
        self._stack: AdapterStack | None = None
        self._members: tuple[int, ...] = ()
        self._recorded: dict[tuple[int, ...], _RecordedPass] = {}
        self._pool: Any = None
        self.lockstep = Lockstep(range(len(adapters)))

    def step(self, member: int, pack: dict[str, torch.Tensor], counted: torch.Tensor, step: int) -> torch.Tensor:
        """Meet the others, and have the gradients of the own adapter added up.

        Args:
            member: Which training.
            pack: Its pack's tensors, on the device.
            counted: [] how many tokens are under the loss in the training's batch; the loss is divided by it.
            step: The training's own number of this pass: what is dropped depends on it and the seed.

        Returns:
            [] float32 loss in nats, of no gradient.
        """
        loss: torch.Tensor = self.lockstep.meet(member, (pack, counted, step), self._pass)
        return loss

    def wait(self, member: int) -> None:
        """Wait until all have come so far: accelerate keeps one state for all trainings of a process."""
        self.lockstep.meet(member, None, lambda given: given)

    def _pass(self, given: Mapping[int, tuple[dict[str, torch.Tensor], torch.Tensor, int]]) -> dict[int, torch.Tensor]:
        members = tuple(sorted(given))
        stack = self._stack_of(members)
        for place, _ in enumerate(members):
            stack.hand_over_gradients(place)
        batch = _fill_up([given[member][:2] for member in members])
        recorded = self._record(batch) if batch.input_ids.is_cuda else None
        stack.draw([given[member][2] for member in members])
        losses = recorded.run(batch) if recorded else self._compute(batch)
        return {member: losses[place].detach() for place, member in enumerate(members)}

    def _stack_of(self, members: tuple[int, ...]) -> AdapterStack:
        """The stack of those that are still there; a graph is of one stack."""
        if self._stack is None or members != self._members:
            self._recorded.clear()
            self._pool = self._stack = self._head = None
            gc.collect()
            model = structural_copy(self._base).train()
            self._head = OutputHead.find(model)
            own = ([self._adapters[member] for member in members], [self._seeds[member] for member in members])
            self._stack, self._members = AdapterStack(model, *own), members
        return self._stack

    def _compute(self, batch: _Batch) -> torch.Tensor:
        """Add up the gradients; returns [S] losses."""
        assert self._stack is not None
        assert self._head is not None
        stack, model = self._stack, self._stack.model
        stack.refresh()
        with self._head.left_out(), torch.autocast(batch.input_ids.device.type, enabled=False):
            hidden = model(
                input_ids=batch.input_ids,
                position_ids=batch.position_ids,
                attention_mask=block_mask(batch.owners, model.dtype),
                use_cache=False,
            ).logits
        kept = hidden.flatten(0, 1)[batch.kept]
        loss, losses = self._head.add_losses(kept, batch.rows, batch.targets, batch.weights)
        loss.backward()  # type: ignore[no-untyped-call]
        return losses.view(stack.size, -1).sum(dim=1)

    def _record(self, batch: _Batch) -> "_RecordedPass":
        """The graph of the batch's shape, which is recorded the first time."""
        assert self._stack is not None
        if batch.shape not in self._recorded:
            self._recorded[batch.shape] = _RecordedPass(self, self._stack, batch)
        return self._recorded[batch.shape]


class _RecordedPass:
    """A pass over one shape of batch as a CUDA graph, over tensors that stay where they are."""

    def __init__(self, shared: SharedPass, stack: AdapterStack, batch: _Batch) -> None:
        self._batch = _Batch(*(tensor.clone() for tensor in batch.tensors()))
        before = stack.gradients.clone()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                shared._compute(self._batch)  # noqa: SLF001 (this class is a part of the other)
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        self._graph = torch.cuda.CUDAGraph()
        for generator in stack.generators:
            self._graph.register_generator_state(generator)
        with torch.cuda.graph(self._graph, pool=shared._pool, capture_error_mode="thread_local"):  # noqa: SLF001
            self._losses = shared._compute(self._batch)  # noqa: SLF001
        shared._pool = self._graph.pool()  # noqa: SLF001
        stack.gradients.copy_(before)

    def run(self, batch: _Batch) -> torch.Tensor:
        for own, given in zip(self._batch.tensors(), batch.tensors(), strict=True):
            own.copy_(given)
        self._graph.replay()
        return self._losses.clone()


def _fill_up(given: Sequence[tuple[dict[str, torch.Tensor], torch.Tensor]]) -> _Batch:
    """The packs in one batch, of a shape that few batches differ from."""
    packs = [pack for pack, _ in given]
    longest = max(pack["input_ids"].shape[1] for pack in packs)
    positions = max(len(pack["logits_to_keep"]) for pack in packs)
    targets = max(len(pack["targets"]) for pack in packs)
    tokens = _round_up(longest, STEP_OF_TOKENS)
    step = STEP_OF_TARGETS if positions * FEW <= longest else STEP_OF_TOKENS
    positions, targets = _round_up(positions, step), _round_up(targets, step)

    def fill(tensors: Sequence[torch.Tensor], size: int, value: int) -> torch.Tensor:
        return torch.stack([pad(tensor, (0, size - len(tensor)), value=value) for tensor in tensors])

    first = torch.arange(len(packs), device=packs[0]["targets"].device)[:, None]
    return _Batch(
        fill([pack["input_ids"][0] for pack in packs], tokens, 0),
        fill([pack["position_ids"][0] for pack in packs], tokens, 0),
        fill([pack["owners"] for pack in packs], tokens, NOBODY),
        (fill([pack["logits_to_keep"] for pack in packs], positions, 0) + first * tokens).flatten(),
        (fill([pack["target_rows"] for pack in packs], targets, 0) + first * positions).flatten(),
        fill([pack["targets"] for pack in packs], targets, 0).flatten(),
        fill([pack["weights"] / counted for pack, counted in given], targets, 0).flatten(),
    )


def _round_up(count: int, step: int) -> int:
    return -(-count // step) * step

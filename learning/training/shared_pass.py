"""One pass over the base for several trainings: their packs side by side, each with its own adapter.

On a GPU, a pass over a pack of a few hundred tokens takes less time than starting its thousands of kernels. So the pass
is recorded as a CUDA graph, once for each shape; packs are filled up to a few shapes with tokens that have no effect.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from torch.nn.functional import pad

from learning.models.device import is_out_of_memory
from learning.models.fused_rotary import fused_rotary
from learning.models.loaded_base import LoadedBase
from learning.models.output_head import OutputHead
from learning.models.stacked_lora import AdapterStack, structural_copy
from learning.models.windows import Window
from learning.training.lockstep import Lockstep
from learning.training.packing import FEW, block_mask
from learning.training.recorded_pass import RecordedPass, rehearse
from schemas.cell import LoraSettings
from schemas.reasons import first_line

STEP_OF_TOKENS = {"cpu": 1, "cuda": 128}
"""Packs are filled up to a multiple of this many tokens. A GPU's matrix products work on tiles of 128 rows: 448 rows
take as long as 512."""
STEP_OF_TARGETS = 32
"""With a loss over labels only, targets are filled up to a multiple of this."""
NOBODY = -2
"""The owner of tokens that fill up a pack: no token of a headline attends to them."""


class _Key(NamedTuple):
    """What a pass that a base keeps was made for."""

    lora: LoraSettings
    size: int
    longest: int
    window: Window | None


def count_kept(base: LoadedBase, lora: LoraSettings) -> int:
    """How many trainings with these adapters the pass that a base keeps is for; 0 if it keeps none."""
    key: _Key | None = base.kept[0] if base.kept else None
    return key.size if key and key.lora == lora else 0


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
    """[S * M] float32: weight of each target in its adapter's loss; 0 for filling."""

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All tensors, always in the same order."""
        return tuple(vars(self).values())

    def clone(self) -> "_Batch":
        """The same values in other memory."""
        return _Batch(*(tensor.clone() for tensor in self.tensors()))

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.input_ids.shape, len(self.kept), len(self.targets))


class SharedPass:
    """The passes that several trainings share: all wait for each pass, and each gets its own adapter's gradients."""

    def __init__(
        self,
        base: LoadedBase,
        adapters: Sequence[PeftModel],
        seeds: Sequence[int],
        lora: LoraSettings,
        longest: int,
        window: Window | None = None,
        *,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Begin with all trainings.

        Args:
            base: The whole base model, whose logits are exactly its output head's. It keeps the pass for the next
                trainings of the same kind.
            adapters: The adapters of the trainings, in order; they differ only in their weights.
            seeds: Seed of each training's dropout.
            lora: Settings of the adapters.
            longest: Tokens of the longest possible pack.
            window: The sliding window that a headline is beyond; None where there is none.
            notify: Called with a message if a GPU cannot record the pass.
        """
        self._base, self._adapters, self._seeds = base, dict(enumerate(adapters)), list(seeds)
        self._lora, self._longest = lora, _round_up(longest, STEP_OF_TOKENS[base.device.name])
        self._window, self._notify = window, notify
        self.size = len(adapters)
        """Number of trainings at the beginning."""
        self._members: tuple[int, ...] = ()
        self._passes: _Pass | None = None
        self.lockstep = Lockstep(range(len(adapters)))

    def step(self, member: int, pack: dict[str, torch.Tensor], counted: torch.Tensor, step: int) -> torch.Tensor:
        """Wait for the others, and add up the gradients of this training's adapter.

        Args:
            member: The number of the training.
            pack: Its pack's tensors, on the device.
            counted: [] number of tokens under the loss in the training's batch; the loss is divided by it.
            step: The number of this pass in the training: dropout depends on it and the seed.

        Returns:
            [] float32 loss in nats, without gradient.
        """
        loss: torch.Tensor = self.lockstep.meet(member, (pack, counted, step), self._pass)
        return loss

    def wait(self, member: int) -> None:
        """Wait until all have come this far: accelerate keeps one state for all trainings of a process."""
        self.lockstep.meet(member, None, lambda inputs: inputs)

    def _pass(self, inputs: Mapping[int, tuple[dict[str, torch.Tensor], torch.Tensor, int]]) -> dict[int, torch.Tensor]:
        members = tuple(sorted(inputs))
        passes = self._passes_of(members)
        batch = _fill_up([inputs[member][:2] for member in members])
        losses = passes.run(batch, [inputs[member][2] for member in members], self._notify)
        return {member: losses[place] for place, member in enumerate(members)}

    def _passes_of(self, members: tuple[int, ...]) -> "_Pass":
        """The pass of the remaining trainings: one that an earlier training has left, or a new one."""
        if self._passes is None or members != self._members:
            self._passes = None
            self._adapters = {member: self._adapters[member] for member in members}
            adapters = list(self._adapters.values())
            key = _Key(self._lora, len(members), self._longest, self._window)
            kept = self._base.kept
            if kept is None or kept[0] != key:
                kept = self._base.kept = None
                gc.collect()
                kept = self._base.kept = (key, _Pass(self._base.model, adapters[0], *key[1:]))
            self._passes, self._members = kept[1], members
            self._passes.stack.take(adapters, [self._seeds[member] for member in members])
        return self._passes


class _Pass:
    """A pass over the base for a batch of S packs, each with its own adapter."""

    def __init__(self, base: Any, like: PeftModel, size: int, longest: int, window: Window | None) -> None:
        model = structural_copy(base).train()
        self._window = window
        self._head = OutputHead.find(model)
        self.stack = AdapterStack(model, like, size, longest)
        self._records = model.device.type == "cuda"
        self._recorded: dict[tuple[int, ...], RecordedPass[_Batch]] = {}
        self._fused_rotary = partial(fused_rotary, model) if model.device.type == "cuda" else nullcontext

    def run(self, batch: _Batch, steps: Sequence[int], notify: Callable[[str], None]) -> torch.Tensor:
        """Add up the gradients of the adapters in their parameters; returns [S] losses."""
        for place in range(self.stack.size):
            self.stack.hand_over_gradients(place)
        if self._records and batch.shape not in self._recorded:
            self._record(batch, notify)
        self.stack.draw(steps)
        return self._recorded[batch.shape].run(batch) if self._records else self.compute(batch)

    def _record(self, batch: _Batch, notify: Callable[[str], None]) -> None:
        """Record the pass for a shape; a model that reads tensor values during the pass cannot be recorded."""
        pool = next((recorded.graph.pool() for recorded in self._recorded.values()), None)
        before = self.stack.gradients.clone()
        try:
            rehearse(lambda: self.compute(batch))
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            self._records = False
            self._recorded.clear()
            notify(f"this model's passes cannot be recorded, and each takes longer on a GPU: {first_line(error)}")
        else:
            self._recorded[batch.shape] = RecordedPass(self.compute, batch, self.stack.generators, pool)
        self.stack.gradients.copy_(before)

    def compute(self, batch: _Batch) -> torch.Tensor:
        """Compute the pass without a graph: gradients go to the stack; returns [S] losses."""
        assert self._head is not None
        model = self.stack.model
        self.stack.refresh()
        mask, positions = block_mask(batch.owners, model.dtype), batch.position_ids
        with self._head.left_out(), self._fused_rotary(), torch.autocast(batch.input_ids.device.type, enabled=False):
            hidden = model(
                input_ids=batch.input_ids,
                position_ids=batch.position_ids,
                attention_mask=self._window.mask(mask, positions, positions) if self._window else mask,
                use_cache=False,
            ).logits
        kept = hidden.flatten(0, 1)[batch.kept]
        loss, losses = self._head.add_losses(kept, batch.rows, batch.targets, batch.weights)
        loss.backward()  # type: ignore[no-untyped-call]
        return losses.view(self.stack.size, -1).sum(dim=1)


def try_pass(base: LoadedBase, adapter: PeftModel, pack: dict[str, torch.Tensor], window: Window | None) -> float:
    """The loss of a pack in nats by a shared pass with one new adapter, which has no effect yet.

    Args:
        base: The whole base model, as for `SharedPass`.
        adapter: The new adapter.
        pack: The pack's tensors, on the device.
        window: As for `SharedPass`.
    """
    passes = _Pass(base.model, adapter, 1, pack["input_ids"].shape[1], window)
    passes.stack.take([adapter], [0])
    passes.stack.draw([0])
    return float(passes.compute(_fill_up([(pack, pack["weights"].sum())]))[0])


def _fill_up(members: Sequence[tuple[dict[str, torch.Tensor], torch.Tensor]]) -> _Batch:
    """The packs in one batch, filled up to a common shape."""
    packs = [pack for pack, _ in members]
    longest = max(pack["input_ids"].shape[1] for pack in packs)
    positions = max(len(pack["logits_to_keep"]) for pack in packs)
    targets = max(len(pack["targets"]) for pack in packs)
    device = packs[0]["targets"].device
    tokens = _round_up(longest, STEP_OF_TOKENS[device.type])
    if positions * FEW <= longest:
        positions, targets = _round_up(positions, STEP_OF_TARGETS), _round_up(targets, STEP_OF_TARGETS)
    else:  # each token but the first is a target once
        positions = targets = tokens

    def fill(tensors: Sequence[torch.Tensor], size: int, value: int) -> torch.Tensor:
        return torch.stack([pad(tensor, (0, size - len(tensor)), value=value) for tensor in tensors])

    first = torch.arange(len(packs), device=device)[:, None]
    return _Batch(
        fill([pack["input_ids"][0] for pack in packs], tokens, 0),
        fill([pack["position_ids"][0] for pack in packs], tokens, 0),
        fill([pack["owners"] for pack in packs], tokens, NOBODY),
        (fill([pack["logits_to_keep"] for pack in packs], positions, 0) + first * tokens).flatten(),
        (fill([pack["target_rows"] for pack in packs], targets, 0) + first * positions).flatten(),
        fill([pack["targets"] for pack in packs], targets, 0).flatten(),
        fill([pack["weights"] / counted for pack, counted in members], targets, 0).flatten(),
    )


def _round_up(count: int, step: int) -> int:
    return -(-count // step) * step

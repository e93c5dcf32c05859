"""The trainers: trl's `SFTTrainer`, with batches packed after their common prefix, or padded if a model requires it.

Loss and gradients of both are the same; in a pack the instruction is computed once per batch instead of once per
example, and logits only where the loss needs them.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import fields
from itertools import islice
from typing import Any

import torch
from trl import SFTTrainer

from learning.models.device import after, mark
from learning.models.last_layer import LastLayer
from learning.models.output_head import OutputHead, add_losses
from learning.models.pack_attention import mark_pack
from learning.models.windows import Window, find_window
from learning.training.callbacks import Meeting, Saving
from learning.training.packing import FEW, Pack, pack_examples
from learning.training.saved_trainer import SavedTrainer
from learning.training.shared_pass import SharedPass

IGNORED = -100
"""The label of a token that is not under the loss, by transformers' convention."""


class PrefixCollator:
    """Collates rows with `input_ids` and `labels` into the tensors of a `Pack`."""

    def __init__(self, prefix_length: int, dtype: torch.dtype | None, window: Window | None = None) -> None:
        """Prepare to pack rows.

        Args:
            prefix_length: How many tokens all rows have in common.
            dtype: The dtype of the masks, which are left out when None.
            window: The sliding window that a row is beyond; None where there is none.
        """
        self.prefix_length = prefix_length
        self.dtype = dtype
        self.window = window

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Pack the rows of one micro-batch."""
        starts = [sum(label == IGNORED for label in row["labels"]) or 1 for row in rows]
        pack = pack_examples([row["input_ids"] for row in rows], starts, self.prefix_length, self.dtype, self.window)
        return {field.name: tensor for field in fields(Pack) if (tensor := getattr(pack, field.name)) is not None}


class AdapterTrainer(SavedTrainer, SFTTrainer):  # type: ignore[misc]
    """`SFTTrainer` for an adapter that is already on the model, in float32; its batches are padded.

    Rows have `input_ids` and `labels`, which are `IGNORED` up to where the loss starts.
    """

    def __init__(self, model: Any, saving: Saving | None = None, **arguments: Any) -> None:
        """Build the trainer.

        trl rounds the adapter of a quantised model to bfloat16. Its float32 weights are restored: Adam's small steps
        would be lost in bfloat16, which is also slow on a CPU.

        Args:
            model: The model with its adapter.
            saving: When to write checkpoints; none are written when None.
            arguments: Further arguments of `SFTTrainer`.
        """
        adapter = {name: weight.data for name, weight in model.named_parameters() if weight.requires_grad}
        super().__init__(model=model, **arguments)
        self.watch_and_save(saving, _count_vocabulary(model))
        for name, weight in model.named_parameters():
            if name in adapter:
                weight.data = adapter[name]


class PackTrainer(AdapterTrainer):
    """`AdapterTrainer` over packs, whose loss is divided by the tokens under it in the whole batch."""

    loss_is_scaled_for_ga = True  # whatever the model declares

    def _get_num_items_in_batch(
        self, batch_samples: list[dict[str, torch.Tensor]], device: torch.device
    ) -> torch.Tensor:
        """The number of tokens under the loss in the effective batch; the prefix counts once for each example."""
        return torch.stack([batch["weights"].sum() for batch in batch_samples]).sum().to(device)


class PrefixTrainer(PackTrainer):
    """A trainer over packs that shares no pass."""

    def __init__(self, model: Any, saving: Saving | None = None, **arguments: Any) -> None:
        """Build the trainer; arguments are those of `AdapterTrainer`."""
        super().__init__(model, saving, **arguments)
        # Recomputation in the backward pass runs without the hooks of the forward pass.
        self.last_layer = None if self.args.activation_checkpointing else LastLayer(model)
        self.head = OutputHead.find(model)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 (the signature is transformers')
        num_items_in_batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Mean cross-entropy in nats over the tokens under the loss of the whole effective batch."""
        if return_outputs or num_items_in_batch is None:
            raise NotImplementedError("packs are for training; score a model with learning.scoring.scoring")
        where = (inputs["target_rows"], inputs["targets"], inputs["weights"])
        if self.head is None:
            return add_losses(forward_pack(model, inputs, self.last_layer), *where) / num_items_in_batch
        with self.head.left_out():
            hidden = forward_pack(model, inputs, self.last_layer)
        return self.head.add_losses(hidden, *where)[0] / num_items_in_batch


def forward_pack(model: Any, pack: dict[str, torch.Tensor], last_layer: LastLayer | None) -> torch.Tensor:
    """Logits [K, vocabulary] of a pack, at the positions whose next token is a target.

    Args:
        model: The model with its adapter.
        pack: A `Pack`'s tensors.
        last_layer: The model's last layer, if it may be computed at these positions only; None to compute it whole.
    """
    kept = pack["logits_to_keep"]
    masks = [mask for name in ("attention_mask", "window_mask") if (mask := pack.get(name)) is not None]
    if kept.device.type == "cpu":  # where it has an effect; a GPU would have to wait for the lengths
        masks = [mark_pack(mask, pack["suffix_lengths"].tolist()) for mask in masks]
    whole, *limited = masks
    window = find_window(model.config, whole.shape[-1]) if limited else None
    few = len(kept) * FEW <= pack["input_ids"].shape[1]
    with last_layer.at(kept) if last_layer and few else nullcontext():
        logits: torch.Tensor = model(
            input_ids=pack["input_ids"],
            position_ids=pack["position_ids"],
            attention_mask=window.as_the_model_takes(whole, *limited) if window else whole,
            logits_to_keep=kept,
            use_cache=False,
        ).logits[0]
    return logits


class BatchesAhead:
    """The batches of an epoch; the next one can be built before it is needed."""

    def __init__(self, batches: Iterator[dict[str, torch.Tensor]]) -> None:
        """Begin at the iterator's position."""
        self.batches = batches
        self._built: deque[dict[str, torch.Tensor]] = deque()

    def __next__(self) -> dict[str, torch.Tensor]:
        return self._built.popleft() if self._built else next(self.batches)

    @property
    def next_built(self) -> dict[str, torch.Tensor] | None:
        """The batch that comes next; None if it is not built yet."""
        return self._built[0] if self._built else None

    def build_one(self) -> None:
        """Build the next batch that is not built yet, if there is one."""
        self._built += islice(self.batches, 1)


class SharedTrainer(PackTrainer):
    """A trainer over packs that uses a shared pass over the base, by itself or with other trainings."""

    def __init__(self, model: Any, saving: Saving | None, shared: SharedPass, member: int, **arguments: Any) -> None:
        """Build the trainer.

        Args:
            model: The model with its adapter, on a copy of the base.
            saving: As for `AdapterTrainer`.
            shared: The shared passes.
            member: Number of this training among those that share them.
            arguments: Further arguments of `SFTTrainer`.
        """
        super().__init__(model, saving, **arguments)
        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        model.zero_grad = self._forget_gradients
        self.shared, self.member = shared, member
        self.passes = 0
        self._begun: torch.Tensor | None = None
        self.ahead = BatchesAhead(iter(()))
        self.add_callback(Meeting(shared, member))

    def get_batch_samples(
        self, epoch_iterator: Iterator[dict[str, torch.Tensor]], num_batches: int, device: torch.device
    ) -> tuple[list[dict[str, torch.Tensor]], torch.Tensor]:
        """The batches of the next step, some of which are built already."""
        if self.ahead.batches is not epoch_iterator:
            self.ahead = BatchesAhead(epoch_iterator)
        samples: tuple[list[dict[str, torch.Tensor]], torch.Tensor]
        samples = super().get_batch_samples(self.ahead, num_batches, device)
        return samples

    def training_step(
        self,
        model: Any,  # noqa: ARG002 (the signature is transformers')
        inputs: dict[str, torch.Tensor],
        num_items_in_batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Mean cross-entropy in nats; its gradients are added to the adapter's."""
        if num_items_in_batch is None:
            raise NotImplementedError("packs are for training; score a model with learning.scoring.scoring")
        if self._begun is None:
            return self._compute(inputs, num_items_in_batch)
        loss, self._begun = self._begun, None
        return loss

    def _compute(self, batch: dict[str, torch.Tensor], counted: torch.Tensor) -> torch.Tensor:
        """The loss of a batch; its gradients are added to the adapter's."""
        number = self.state.global_step * self.args.gradient_accumulation_steps + self.passes
        self.passes = (self.passes + 1) % self.current_gradient_accumulation_steps
        is_last = self.accelerator.sync_gradients
        loss = self.shared.step(self.member, self._prepare_inputs(batch), counted, number)
        self.ahead.build_one()  # while the GPU computes the pass
        # Other trainings, at another position in their batch, have changed this flag: the object is shared.
        self.accelerator.gradient_state._set_sync_gradients(is_last)  # noqa: SLF001 (as transformers does)
        return loss

    def _maybe_log_save_evaluate(
        self, tr_loss: torch.Tensor, grad_norm: torch.Tensor | None, *arguments: Any, **named: Any
    ) -> None:
        """Log the step, and save a checkpoint if one is due, while the GPU computes the next pass."""
        loss = tr_loss.clone()
        tr_loss.zero_()
        computed = mark(loss.device)
        self._begin_next()
        with after(computed):
            loss, norm = loss.cpu(), None if grad_norm is None else grad_norm.cpu()
        super()._maybe_log_save_evaluate(loss, norm, *arguments, **named)

    def _begin_next(self) -> None:
        """Begin the next step's pass, if the step is a single pass and its batch is built.

        If the training ends here after all, the gradients of this pass are not used.
        """
        batch = self.ahead.next_built
        if batch is not None and self.args.gradient_accumulation_steps == 1 and not self.control.should_training_stop:
            self._begun = self._compute(batch, self._get_num_items_in_batch([batch], self.args.device))

    # The methods below replace those of transformers, which search all modules for the adapter at each step.

    def _forget_gradients(self) -> None:
        for weight in self.weights:
            weight.grad = None

    def _clip_grad_norm(self, model: Any) -> torch.Tensor:  # noqa: ARG002
        return torch.nn.utils.clip_grad_norm_(self.weights, self.args.max_grad_norm)

    def floating_point_ops(self, inputs: dict[str, torch.Tensor]) -> int:  # noqa: ARG002
        """Always 0: transformers would count the operations of another model."""
        return 0


def _count_vocabulary(model: Any) -> int:
    return int(model.config.get_text_config().vocab_size)

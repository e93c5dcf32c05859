"""The trainer: trl's `SFTTrainer` with batches packed behind their common prefix.

Loss and gradients are those of padded batches of the same examples; the instruction is computed once a batch instead
of once an example, and logits only where the loss needs them. Knows tokens; knows no headline, cell or warehouse.
"""

from dataclasses import fields
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from trl import SFTTrainer

from learning.packing import Pack, pack_examples


class PrefixCollator:
    """Collates rows with `input_ids` and `loss_start` into the tensors of a `Pack`."""

    def __init__(self, prefix_length: int, dtype: torch.dtype) -> None:
        """Remember what all rows have in common and the dtype of the mask."""
        self.prefix_length = prefix_length
        self.dtype = dtype

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Pack the rows of one micro-batch."""
        pack = pack_examples(
            [row["input_ids"] for row in rows], [row["loss_start"] for row in rows], self.prefix_length, self.dtype
        )
        return {field.name: getattr(pack, field.name) for field in fields(Pack)}


class PrefixTrainer(SFTTrainer):  # type: ignore[misc]
    """`SFTTrainer` over the packs of a `PrefixCollator`; the adapter is already on the model, in float32."""

    def __init__(self, model: Any, **arguments: Any) -> None:
        """Build the trainer; arguments are those of `SFTTrainer`.

        trl rounds the adapter of a quantised model to bfloat16. Its float32 weights are put back: Adam's small steps
        would be lost in bfloat16, and on a CPU it is slow.
        """
        adapter = {name: weight.data for name, weight in model.named_parameters() if weight.requires_grad}
        super().__init__(model=model, **arguments)
        self.loss_is_scaled_for_ga = True  # by `num_items_in_batch`, whatever the model says of itself
        for name, weight in model.named_parameters():
            if name in adapter:
                weight.data = adapter[name]

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 (the signature is transformers')
        num_items_in_batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Mean cross-entropy in nats over the tokens under the loss of the whole effective batch."""
        if return_outputs or num_items_in_batch is None:
            raise NotImplementedError("packs are for training; score a model with learning.scoring")
        logits = model(
            input_ids=inputs["input_ids"],
            position_ids=inputs["position_ids"],
            attention_mask=inputs["attention_mask"],
            logits_to_keep=inputs["logits_to_keep"],
            use_cache=False,
        ).logits[0]
        token_losses = cross_entropy(logits.float()[inputs["target_rows"]], inputs["targets"], reduction="none")
        return (token_losses * inputs["weights"]).sum() / num_items_in_batch

    def _get_num_items_in_batch(
        self, batch_samples: list[dict[str, torch.Tensor]], device: torch.device
    ) -> torch.Tensor:
        """Tokens under the loss in the effective batch, those of the prefix once for each example."""
        return torch.stack([batch["weights"].sum() for batch in batch_samples]).sum().to(device)

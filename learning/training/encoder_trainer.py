"""The trainer of sequence classifiers: transformers' `Trainer` on padded batches of similar length."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from learning.models.encoder_rows import pad_rows
from learning.training.callbacks import Saving
from learning.training.length_batches import LengthBatches
from learning.training.saved_trainer import SavedTrainer


class PaddingCollator:
    """Collates rows of tokens with a `label` into tensors as long as the longest row."""

    def __init__(self, pad_token: int | None) -> None:
        """Pad with this token."""
        self.pad_token = pad_token

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Pad the rows of one micro-batch."""
        return {**pad_rows(rows, self.pad_token), "labels": torch.tensor([row["label"] for row in rows])}


class EncoderTrainer(SavedTrainer):
    """Trains a sequence classifier."""

    loss_is_scaled_for_ga = True  # it is divided by the examples of the whole batch

    def __init__(
        self,
        model: Any,
        saving: Saving | None,
        lengths: Sequence[int],
        class_weights: torch.Tensor | None,
        **arguments: Any,
    ) -> None:
        """Build the trainer.

        Args:
            model: The classifier.
            saving: When to write checkpoints; none are written when None.
            lengths: Tokens of each example.
            class_weights: [3] by the model's columns; None for equal ones.
            arguments: Further arguments of `Trainer`.
        """
        super().__init__(model=model, **arguments)
        self.model_accepts_loss_kwargs = True  # makes transformers count the examples of a batch
        self.lengths, self.class_weights = lengths, class_weights
        self.watch_and_save(saving, int(model.config.num_labels))

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthBatches:  # noqa: ARG002
        return LengthBatches(
            self.lengths, self.args.train_batch_size * self.args.gradient_accumulation_steps, self.args.seed
        )

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 (the signature is transformers')
        num_items_in_batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Mean cross-entropy in nats over the examples of the whole effective batch, weighted by class if set."""
        if return_outputs or num_items_in_batch is None:
            raise NotImplementedError("for training; score a model with learning.scoring.classification")
        labels = inputs.pop("labels")
        logits = model(**inputs).logits.float()
        weights = None if self.class_weights is None else self.class_weights.to(logits.device)
        return cross_entropy(logits, labels, weight=weights, reduction="sum") / num_items_in_batch

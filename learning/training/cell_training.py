"""One cell's training, from its furthest checkpoint to its adapter's folder."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import torch
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from learning.models.adapter_files import ADAPTER_FILES, check_adapter
from learning.models.loaded_base import LoadedBase
from learning.models.windows import find_window
from learning.prompt.encoding import EncodedExample, check_lengths, common_prefix_length, longest_allowed
from learning.training.arguments import build_arguments, checkpoints_gradients, encode_rows
from learning.training.probe import takes_packs, takes_stacks
from learning.training.recipe import Training, TrainingOutcome, first_micro_batch_size
from learning.training.run import Run
from learning.training.shared_pass import SharedPass
from learning.training.trainer import (
    AdapterTrainer,
    PrefixCollator,
    PrefixTrainer,
    SharedTrainer,
)

BYTES_A_WEIGHT = 18
"""Bytes for each weight of an adapter in training: weight, gradient, two moments in float32, a bfloat16 copy."""


class CellTraining:
    """One cell's training, tried once for each size of the micro-batch."""

    def __init__(
        self, base: LoadedBase, examples: Sequence[EncodedExample], training: Training, notify: Callable[[str], None]
    ) -> None:
        self.base, self.examples, self.training, self.notify = base, examples, training, notify
        self.recipe = training.recipe
        sequences = [example.input_ids for example in examples]
        check_lengths(sequences, longest_allowed(base.model.config))
        first_answer = min(example.answer_start for example in examples)
        self.prefix_length = min(common_prefix_length(sequences), first_answer)
        lengths = [len(sequence) for sequence in sequences]
        self.longest = max(lengths)
        self.window = find_window(base.model.config, self.longest)
        self.run = Run(training, lengths, base.device, notify)

    def begin(self) -> bool:
        """Find the furthest checkpoint; returns whether nothing is left to do after it."""
        self.packed, self.side_by_side = False, 1
        self.trainer: AdapterTrainer | None = None
        self.model: Any = None
        return self.run.begin()

    @property
    def stopped(self) -> bool:
        """Whether it was requested to stop, and saved a checkpoint."""
        return self.run.stopped

    def build_trainer(
        self, model: Any, size: int, stack: ExitStack, shared: tuple[SharedPass, int] | None = None
    ) -> None:
        """Build the trainer, by itself or as a member of a shared pass."""
        self.side_by_side = shared[0].size if shared else 1
        self.packed = shared is not None or takes_packs(
            self.base, model, self.examples, self.prefix_length, size, self.notify
        )
        scratch = stack.enter_context(self.run.lend_scratch())
        self.trainer, self.model = self._build_trainer(model, size, scratch, shared), model

    def train(self) -> None:
        """Train to the end or a pause and save the adapter; a stop request leaves a checkpoint instead."""
        self.run.train(self.trainer, self.model)
        self.forget_trainer()

    def forget_trainer(self) -> None:
        """Drop the trainer and free its memory."""
        self.trainer = self.model = None

    def finish(self, micro_batch_size: int, memory_errors: int) -> TrainingOutcome:
        """Put the adapter into its folder, and return the outcome of the training."""
        return self.run.finish(
            ADAPTER_FILES,
            check_adapter,
            self._describe(),
            micro_batch_size=micro_batch_size,
            memory_errors=memory_errors,
        )

    def estimate_bytes(self) -> float:
        """The most memory that one more training takes: its adapter with gradients and AdamW's state, and a pack.

        For each token of a pack and each layer, autograd keeps about 20 values of the hidden size and 8 of the
        feed-forward size.
        """
        config = self.base.model.config.get_text_config()
        hidden, layers = config.hidden_size, config.num_hidden_layers
        inner = getattr(config, "intermediate_size", None) or 4 * hidden
        tokens = self.longest_pack(first_micro_batch_size(self.recipe.training))
        width = torch.finfo(self.base.device.dtype).bits // 8
        head = self.base.model.get_output_embeddings()
        adapter = sum(
            self.recipe.lora.r * (layer.in_features + layer.out_features)
            for layer in self.base.model.modules()
            if isinstance(layer, torch.nn.Linear) and layer is not head
        )
        return float(BYTES_A_WEIGHT * adapter + tokens * layers * width * (20 * hidden + 8 * inner))

    def takes_stacks(self, size: int) -> bool:
        """Whether packs of this many headlines can be in a shared pass; see `learning.training.probe`."""
        base, examples, prefix = self.base, self.examples, self.prefix_length
        if not takes_packs(base, base.model, examples, prefix, size, self.notify):
            return False
        return takes_stacks(base, self.recipe, examples, prefix, self.notify)

    def longest_pack(self, size: int) -> int:
        """The most tokens of a pack of this many headlines."""
        return self.prefix_length + size * (self.longest - self.prefix_length)

    def _build_trainer(
        self, model: Any, micro_batch_size: int, scratch: Path, shared: tuple[SharedPass, int] | None
    ) -> AdapterTrainer:
        recipe, device, schedule = self.recipe, self.base.device, self.run.schedule
        tokenizer = self.base.tokenizer
        kind: Any = AdapterTrainer
        if shared:
            kind = partial(SharedTrainer, shared=shared[0], member=shared[1])
            collator: Any = PrefixCollator(self.prefix_length, None)
        elif self.packed:
            kind = PrefixTrainer
            collator = PrefixCollator(self.prefix_length, device.dtype, self.window)
        else:
            rows = self.base.model.get_input_embeddings().weight.shape[0]
            endings = (tokenizer.pad_token_id, tokenizer.eos_token_id)
            pad = next((token for token in endings if token is not None and token < rows), 0)
            collator = DataCollatorForLanguageModeling(pad_token_id=pad)
        examples = encode_rows(self.examples, whole_text=recipe.training.loss == "whole-text")
        checkpointing = checkpoints_gradients(recipe.training, self.base)
        trainer: AdapterTrainer = kind(
            model,
            self.run.saving,
            args=build_arguments(recipe, schedule, device, micro_batch_size, scratch, checkpointing=checkpointing),
            train_dataset=datasets.Dataset.from_list(examples),
            data_collator=collator,
            processing_class=tokenizer,
            callbacks=[self.run.reporter],
        )
        return trainer

    def _describe(self) -> dict[str, str]:
        """How it was trained, as recorded with the result."""
        return {
            "attention": str(self.base.model.config._attn_implementation),  # noqa: SLF001 (has no public name)
            "gradient_checkpointing": str(checkpoints_gradients(self.recipe.training, self.base)).lower(),
            "batches": "packed" if self.packed else "padded",
            "side_by_side": str(self.side_by_side),
            "base_weights": "dequantised once" if self.base.is_whole else "as they were loaded",
        }

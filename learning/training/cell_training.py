"""One cell's training, from its furthest checkpoint to its adapter's folder."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import torch
from transformers import TrainerState

from learning.models.adapter import save_adapter
from learning.models.adapter_files import check_adapter
from learning.models.device import describe_environment, peak_memory_bytes
from learning.models.loaded_base import LoadedBase
from learning.prompt.encoding import EncodedExample, check_lengths, common_prefix_length, longest_allowed
from learning.training.arguments import build_arguments, checkpoints_gradients, encode_rows
from learning.training.callbacks import Saving, StepTeller
from learning.training.checkpoints import CheckpointStore
from learning.training.probe import takes_packs, takes_stacks
from learning.training.recipe import Recipe, TrainingOutcome, TrainingStep, first_micro_batch_size
from learning.training.schedule import lay_out_steps
from learning.training.shared_pass import SharedPass
from learning.training.trainer import (
    AdapterTrainer,
    PrefixCollator,
    PrefixTrainer,
    SharedTrainer,
)

BYTES_A_WEIGHT = 18
"""Bytes for each weight of an adapter in training: weight, gradient, two moments in float32, a bfloat16 copy."""


@dataclass(frozen=True)
class Training:
    """One adapter that is to be trained."""

    recipe: Recipe
    adapter_folder: Path
    """Folder of the adapter, which appears complete or not at all."""
    store: CheckpointStore | None = None
    """Checkpoints: the training continues from the furthest that fits, and writes its own. None for no checkpoints."""
    on_step: Callable[[TrainingStep], None] = lambda _: None
    """Called with each step as it ends."""
    pause_epoch: int | None = None
    """The epoch after which it pauses, with the adapter of then in its folder and a checkpoint; None: it ends."""


class CellTraining:
    """One cell's training, tried once for each size of the micro-batch."""

    def __init__(
        self, base: LoadedBase, examples: Sequence[EncodedExample], training: Training, tell: Callable[[str], None]
    ) -> None:
        self.base, self.examples, self.training, self.tell = base, examples, training, tell
        self.recipe, self.store = training.recipe, training.store
        sequences = [example.input_ids for example in examples]
        check_lengths(sequences, longest_allowed(base.model.config))
        first_answer = min(example.answer_start for example in examples)
        self.prefix_length = min(common_prefix_length(sequences), first_answer)
        self.tokens = sum(map(len, sequences))
        self.longest = max(map(len, sequences))
        self.schedule = lay_out_steps(len(examples), self.recipe.training)
        steps = self.schedule.steps // self.recipe.training.epochs  # of an epoch
        self.pause_step = None if training.pause_epoch is None else steps * training.pause_epoch

    def begin(self) -> bool:
        """Find the furthest checkpoint; whether nothing is left to do beyond it."""
        recipe = self.recipe
        found = None
        if self.store:
            shared_steps, optimizer = self.schedule.shared_steps, self.base.device.optimizer
            found = self.store.find(recipe.training.epochs, shared_steps, optimizer, self.tell, self.pause_step)
        self.checkpoint, self.history = found, found.read_log() if found else []
        self.first_step = found.step if found else 0
        self.diverged = found is not None and found.diverged
        self.seconds, self.packed, self.side_by_side = 0.0, self.base.takes_packs is not False, 1
        self.stopped = False
        self.trainer: AdapterTrainer | None = None
        self.model: Any = None
        last_step = self.schedule.steps if self.pause_step is None else self.pause_step
        return found is not None and (self.diverged or self.first_step == last_step)

    def build_trainer(
        self, model: Any, size: int, stack: ExitStack, shared: tuple[SharedPass, int] | None = None
    ) -> None:
        """Build the trainer: on its own, or as a member of a shared pass."""
        self.side_by_side = shared[0].size if shared else 1
        self.packed = shared is not None or takes_packs(self.base, model, self.examples, self.prefix_length, self.tell)
        scratch = Path(stack.enter_context(self._lend_scratch()))
        self.trainer, self.model = self._build_trainer(model, size, scratch, shared), model

    def train(self) -> None:
        """Train to the end or a pause, and save the adapter; when asked to stop there is a checkpoint instead."""
        start = time.monotonic()
        assert self.trainer is not None
        self.trainer.train(resume_from_checkpoint=str(self.checkpoint.folder) if self.checkpoint else None)
        self.seconds = time.monotonic() - start
        self.stopped = self.trainer.stopped
        if not self.stopped:
            self._keep_adapter()
        self.forget_trainer()

    def _keep_adapter(self) -> None:
        assert self.trainer is not None
        self.history = [entry for entry in self.trainer.state.log_history if "loss" in entry]
        finite = all(bool(weight.isfinite().all()) for weight in self.model.parameters() if weight.requires_grad)
        self.diverged = self.trainer.watch.diverged or not finite
        save_adapter(self.model, self.training.adapter_folder)

    def forget_trainer(self) -> None:
        """Drop the trainer, and free its memory."""
        self.trainer = self.model = None

    def finish(self, micro_batch_size: int, memory_errors: int) -> TrainingOutcome:
        """Copy the adapter from its checkpoint, if it is in one, and return the outcome of the training."""
        recipe, history, folder = self.recipe, self.history, self.training.adapter_folder
        if self.checkpoint and not self.seconds:
            self.checkpoint.copy_adapter(folder)
        if self.store and self.pause_step is None:
            self.store.drop_own(recipe.training.epochs)
        log = tuple(_read_step(entry, self.schedule.steps) for entry in history)
        seconds, first_step = self.seconds, self.first_step
        passes = (
            (log[-1].epoch - first_step * recipe.training.epochs / self.schedule.steps) / seconds if seconds else None
        )
        return TrainingOutcome(
            log=log,
            first_step=first_step,
            seconds=seconds,
            examples_per_second=None if passes is None else passes * len(self.examples),
            tokens_per_second=None if passes is None else passes * self.tokens,
            peak_memory_bytes=peak_memory_bytes(self.base.device),
            environment=self._describe(),
            packed=self.packed,
            micro_batch_size=micro_batch_size,
            memory_errors=memory_errors,
            diverged=self.diverged,
            adapter_hash=check_adapter(folder),
        )

    def estimate_bytes(self) -> float:
        """Memory that one more training takes at most: its adapter with gradients and AdamW's state, and a pack.

        For each token of a pack and each layer, autograd keeps some 20 values of the hidden size and 8 of the
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

    def _lend_scratch(self) -> TemporaryDirectory[str]:
        """A folder for the trainer's other files; after a kill it is deleted together with the checkpoints."""
        if self.store is None:
            return TemporaryDirectory()
        self.store.root.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(dir=self.store.root)

    def takes_stacks(self) -> bool:
        """Whether it can be a member of a shared pass; see `learning.training.probe`."""
        base, what = self.base, (self.examples, self.prefix_length, self.tell)
        return takes_packs(base, base.model, *what) and takes_stacks(base, self.recipe, *what)

    def longest_pack(self, size: int) -> int:
        """The most tokens of a pack of this many headlines."""
        return self.prefix_length + size * (self.longest - self.prefix_length)

    def _build_trainer(
        self, model: Any, micro_batch_size: int, scratch: Path, shared: tuple[SharedPass, int] | None
    ) -> AdapterTrainer:
        recipe, device, schedule = self.recipe, self.base.device, self.schedule
        saving = None
        if self.store:
            minutes, steps = recipe.training.checkpoint_minutes, recipe.training.checkpoint_steps
            shared_steps, pause_step = schedule.shared_steps, self.pause_step
            saving = Saving(self.store, recipe.training.epochs, shared_steps, steps, minutes, pause_step)
        kind: Any = PrefixTrainer if self.packed else AdapterTrainer
        if shared:
            kind = partial(SharedTrainer, shared=shared[0], member=shared[1])
            collator: Any = PrefixCollator(self.prefix_length, None)
        tokenizer = self.base.tokenizer
        rows = self.base.model.get_input_embeddings().weight.shape[0]
        endings = (tokenizer.pad_token_id, tokenizer.eos_token_id)
        pad = next((token for token in endings if token is not None and token < rows), 0)

        if not shared:
            collator = kind.collator(pad, self.prefix_length, device.dtype)

        def tell_step(entry: dict[str, Any], state: TrainerState) -> None:
            self.training.on_step(_read_step(entry, state.max_steps))

        examples = encode_rows(self.examples, whole_text=recipe.training.loss == "whole-text")
        checkpointing = checkpoints_gradients(recipe.training, self.base)
        trainer: AdapterTrainer = kind(
            model,
            saving,
            args=build_arguments(recipe, schedule, device, micro_batch_size, scratch, checkpointing=checkpointing),
            train_dataset=datasets.Dataset.from_list(examples),
            data_collator=collator,
            processing_class=tokenizer,
            callbacks=[StepTeller(tell_step)],
        )
        return trainer

    def _describe(self) -> dict[str, str]:
        """Device and versions that are recorded with the result."""
        device = self.base.device
        return {
            **describe_environment(device),
            "attention": str(self.base.model.config._attn_implementation),  # noqa: SLF001 (has no public name)
            "gradient_checkpointing": str(checkpoints_gradients(self.recipe.training, self.base)).lower(),
            "batches": "packed" if self.packed else "padded",
            "side_by_side": str(self.side_by_side),
            "base_weights": "dequantised once" if self.base.is_whole else "as they were loaded",
            "seed": str(self.recipe.training.seed),
        }


def _read_step(entry: dict[str, Any], steps: int) -> TrainingStep:
    names = ("step", "epoch", "loss", "learning_rate", "grad_norm", "examples_per_second")
    values = {name: entry[name] for name in names}
    return TrainingStep(**values, steps=steps, logged_at=datetime.fromtimestamp(entry["logged_at"], UTC))

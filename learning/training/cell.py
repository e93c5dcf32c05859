"""One cell's training: a base in memory, frozen settings and labelled headlines in, an adapter's folder out."""

import gc
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import torch
from transformers import TrainerState
from trl import SFTConfig

from learning.models.adapter import save_adapter
from learning.models.adapter_files import check_adapter
from learning.models.device import Device, describe_environment, is_out_of_memory, peak_memory_bytes, start_peak_memory
from learning.models.last_layer import LastLayer
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import (
    EncodedExample,
    check_lengths,
    common_prefix_length,
    encode_examples,
    longest_allowed,
)
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, TrainingOutcome, TrainingStep, first_micro_batch_size, largest_part
from learning.training.schedule import Schedule, lay_out_steps
from learning.training.trainer import (
    IGNORED,
    AdapterTrainer,
    PrefixCollator,
    PrefixTrainer,
    Saving,
    StepTeller,
    forward_pack,
)
from schemas.config import TrainingSettings
from schemas.errors import FailureError
from schemas.label import Label

PROBED = 3
"""Examples on which packs are tried beside whole prompts."""
SAME_LOGITS = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""Largest difference between the two, over the largest logit; a model that heeds no mask is off by the order of 1."""


class OutOfMemoryError(FailureError):
    """Not even one example at a time fits into memory."""


def train_adapter(
    base: LoadedBase,
    headlines: Sequence[str],
    labels: Sequence[Label],
    recipe: Recipe,
    adapter_folder: Path,
    *,
    store: CheckpointStore | None = None,
    on_step: Callable[[TrainingStep], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> TrainingOutcome:
    """Fine-tune a new adapter on the base model and write it to `adapter_folder`.

    The seed decides the adapter's initial weights, the order of the headlines and the dropout. Where memory runs out
    the micro-batch is made smaller, and the batch stays as it was.

    Args:
        base: The base model, which is left as it was.
        headlines: N texts.
        labels: N labels.
        recipe: How it is trained.
        adapter_folder: Appears whole or not at all.
        store: Of checkpoints: the training goes on from the furthest that fits, and writes its own. None for none.
        on_step: Is told each step as it ends.
        tell: Is given a line about what a user should know: a checkpoint that is ignored, memory that ran out, a model
            that takes no packs.

    Raises:
        InputError: A headline is longer than the base takes.
        OutOfMemoryError: Not even one headline at a time fits into memory.
    """
    training = recipe.training
    size, memory_errors = first_micro_batch_size(training), 0
    cell = _CellTraining(base, encode_examples(headlines, labels, base.tokenizer, recipe.prompt), recipe, store, tell)
    while True:
        try:
            return cell.train(adapter_folder, size, memory_errors, on_step)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        if size == 1:
            raise OutOfMemoryError(
                "out of memory with one headline a pass: use a smaller base model or a smaller lora.r"
            )
        smaller, memory_errors = largest_part(training.batch_size, size // 2), memory_errors + 1
        tell(f"out of memory with {size} headlines a pass: {smaller} from here on, batches stay {training.batch_size}")
        size = smaller
        base.release()
        gc.collect()
        if base.device.name == "cuda":
            torch.cuda.empty_cache()


class _CellTraining:
    """One cell's training, tried once for each size of the micro-batch."""

    def __init__(
        self,
        base: LoadedBase,
        examples: Sequence[EncodedExample],
        recipe: Recipe,
        store: CheckpointStore | None,
        tell: Callable[[str], None],
    ) -> None:
        self.base, self.examples, self.recipe, self.store, self.tell = base, examples, recipe, store, tell
        sequences = [example.input_ids for example in examples]
        check_lengths(sequences, longest_allowed(base.model.config))
        first_answer = min(example.answer_start for example in examples)
        self.prefix_length = min(common_prefix_length(sequences), first_answer)
        self.tokens = sum(map(len, sequences))
        self.schedule = lay_out_steps(len(examples), recipe.training, recipe.epochs)

    def train(
        self, adapter_folder: Path, micro_batch_size: int, memory_errors: int, on_step: Callable[[TrainingStep], None]
    ) -> TrainingOutcome:
        """Go on from the furthest checkpoint, if there is one, to the end, and save the adapter."""
        recipe, device = self.recipe, self.base.device
        start_peak_memory(device)
        checkpoint = self.store.find(recipe.epochs, self.schedule.shared_steps, self.tell) if self.store else None
        history = checkpoint.read_log() if checkpoint else []
        first_step = checkpoint.step if checkpoint else 0
        diverged = checkpoint is not None and checkpoint.diverged
        seconds, packed = 0.0, self.base.takes_packs is not False
        if checkpoint and (diverged or first_step == self.schedule.steps):
            checkpoint.copy_adapter(adapter_folder)
        else:
            model = self.base.train_new(recipe.lora, recipe.seed)
            packed = self._takes_packs(model)
            with self._lend_scratch() as scratch, quiet_libraries():
                trainer = self._build_trainer(model, micro_batch_size, Path(scratch), on_step, packed=packed)
                start = time.monotonic()
                trainer.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
                seconds = time.monotonic() - start
            history = [entry for entry in trainer.state.log_history if "loss" in entry]
            finite = all(bool(weight.isfinite().all()) for weight in model.parameters() if weight.requires_grad)
            diverged = trainer.watch.diverged or not finite
            save_adapter(model, adapter_folder)
            del trainer, model
        self.base.release()
        if self.store:
            self.store.drop_own(recipe.epochs)
        log = tuple(_read_step(entry, self.schedule.steps) for entry in history)
        passes = (log[-1].epoch - first_step * recipe.epochs / self.schedule.steps) / seconds if seconds else None
        return TrainingOutcome(
            log=log,
            first_step=first_step,
            seconds=seconds,
            examples_per_second=None if passes is None else passes * len(self.examples),
            tokens_per_second=None if passes is None else passes * self.tokens,
            peak_memory_bytes=peak_memory_bytes(device),
            environment=self._describe(packed=packed),
            packed=packed,
            micro_batch_size=micro_batch_size,
            memory_errors=memory_errors,
            diverged=diverged,
            adapter_hash=check_adapter(adapter_folder),
        )

    def _lend_scratch(self) -> TemporaryDirectory[str]:
        """A folder for what the trainer leaves beside checkpoints; if it is killed, it goes when they go."""
        if self.store is None:
            return TemporaryDirectory()
        self.store.root.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(dir=self.store.root)

    def _takes_packs(self, model: Any) -> bool:
        """Try a pack beside whole prompts, once a base: attention that heeds no mask of ours gives other logits."""
        if self.base.takes_packs is not None:
            return self.base.takes_packs
        examples, device = self.examples[:PROBED], self.base.device
        collator = PrefixCollator(self.prefix_length, device.dtype)
        rows = encode_rows(examples, whole_text=False)
        pack = {name: tensor.to(device.name) for name, tensor in collator(rows).items()}
        takes = False
        model.eval()
        with suppress(TypeError, ValueError, IndexError, AttributeError, NotImplementedError), torch.no_grad():
            packed = forward_pack(model, pack, LastLayer(model))[pack["target_rows"]].float()
            alone = [
                model(input_ids=torch.tensor([row["input_ids"]], device=device.name)).logits[0, start - 1 : -1].float()
                for row, start in zip(rows, (example.answer_start for example in examples), strict=True)
            ]
            whole = torch.cat(alone)
            takes = bool((packed - whole).abs().max() <= SAME_LOGITS[device.dtype] * whole.abs().max())
        model.train()
        self.base.takes_packs = takes
        if not takes:
            kind = type(self.base.model).__name__
            self.tell(f"{kind} takes no batches packed behind one prefix: they are padded, several times slower")
        return takes

    def _build_trainer(
        self, model: Any, micro_batch_size: int, scratch: Path, on_step: Callable[[TrainingStep], None], *, packed: bool
    ) -> AdapterTrainer:
        recipe, device, schedule = self.recipe, self.base.device, self.schedule
        saving = None
        if self.store:
            minutes, steps = recipe.training.checkpoint_minutes, recipe.training.checkpoint_steps
            saving = Saving(self.store, recipe.epochs, schedule.shared_steps, steps, minutes)
        kind = PrefixTrainer if packed else AdapterTrainer
        tokenizer = self.base.tokenizer
        rows = self.base.model.get_input_embeddings().weight.shape[0]
        endings = (tokenizer.pad_token_id, tokenizer.eos_token_id)
        pad = next((token for token in endings if token is not None and token < rows), 0)

        def tell_step(entry: dict[str, Any], state: TrainerState) -> None:
            on_step(_read_step(entry, state.max_steps))

        examples = encode_rows(self.examples, whole_text=recipe.training.loss == "whole-text")
        return kind(
            model,
            saving,
            args=build_arguments(recipe, schedule, device, micro_batch_size, scratch),
            train_dataset=datasets.Dataset.from_list(examples),
            data_collator=kind.collator(pad, self.prefix_length, device.dtype),
            processing_class=tokenizer,
            callbacks=[StepTeller(tell_step)],
        )

    def _describe(self, *, packed: bool) -> dict[str, str]:
        """What it was computed with, to be recorded."""
        device = self.base.device
        return {
            **describe_environment(device),
            "attention": str(self.base.model.config._attn_implementation),  # noqa: SLF001 (has no public name)
            "gradient_checkpointing": str(_checkpoints_gradients(self.recipe.training, device)).lower(),
            "batches": "packed" if packed else "padded",
            "base_weights": "dequantised once" if self.base.is_whole else "as they were loaded",
            "seed": str(self.recipe.seed),
        }


def build_arguments(
    recipe: Recipe, schedule: Schedule, device: Device, micro_batch_size: int, output: Path
) -> SFTConfig:
    """The trainer's arguments, which are those of a plain `SFTTrainer` too."""
    training, on_cuda = recipe.training, device.name == "cuda"
    kinds = {"constant": "constant_with_warmup", "cosine": "cosine", "warmup-stable-decay": "warmup_stable_decay"}
    decay = {"num_decay_steps": schedule.decay_steps, "decay_type": "linear"}
    arguments = SFTConfig(
        output_dir=str(output),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=micro_batch_size,
        gradient_accumulation_steps=training.batch_size // micro_batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=kinds[training.schedule],
        lr_scheduler_kwargs=decay if schedule.decay_steps else None,
        warmup_steps=schedule.warmup_steps,
        optim=device.optimizer,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        bf16=on_cuda and device.dtype == torch.bfloat16,
        fp16=on_cuda and device.dtype == torch.float16,
        use_cpu=not on_cuda,
        activation_checkpointing=_checkpoints_gradients(training, device),
        dataloader_pin_memory=on_cuda,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        seed=recipe.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001 (the trainer would spread over every GPU it sees)
    return arguments


def _checkpoints_gradients(training: TrainingSettings, device: Device) -> bool:
    chosen = training.gradient_checkpointing
    return device.name == "cuda" if chosen is None else chosen


def encode_rows(examples: Sequence[EncodedExample], *, whole_text: bool) -> list[dict[str, list[int]]]:
    """Rows for a trainer: the tokens, and those under the loss."""
    rows = []
    for example in examples:
        ids = list(example.input_ids)
        ignored = 0 if whole_text else example.answer_start
        rows.append({"input_ids": ids, "labels": [IGNORED] * ignored + ids[ignored:]})
    return rows


def _read_step(entry: dict[str, Any], steps: int) -> TrainingStep:
    names = ("step", "epoch", "loss", "learning_rate", "grad_norm", "examples_per_second")
    values = {name: entry[name] for name in names}
    return TrainingStep(**values, steps=steps, logged_at=datetime.fromtimestamp(entry["logged_at"], UTC))

"""One cell's training: frozen settings and labelled headlines in, an adapter's folder out. Knows no Prefect, no SQL."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import torch
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl import SFTConfig

from learning.adapter import attach_new_adapter, save_adapter
from learning.base_model import load_model, load_tokenizer
from learning.device import choose_device, describe_environment, peak_memory_bytes, start_peak_memory
from learning.encoding import EncodedExample, check_lengths, common_prefix_length, encode_examples, longest_allowed
from learning.grid import count_warmup_steps
from learning.quiet import quiet_libraries
from learning.trainer import PrefixCollator, PrefixTrainer
from schemas.config import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label


@dataclass(frozen=True)
class TrainingStep:
    """What an optimiser step tells."""

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    examples_per_second: float
    """Since the first step."""
    logged_at: datetime


@dataclass(frozen=True)
class TrainingOutcome:
    """What a finished training leaves beside the adapter."""

    log: tuple[TrainingStep, ...]
    seconds: float
    examples_per_second: float
    peak_memory_bytes: int
    environment: dict[str, str]
    diverged: bool
    """The loss or a weight was not a number; training stopped there."""


def train_adapter(
    headlines: Sequence[str],
    labels: Sequence[Label],
    model_folder: Path,
    adapter_folder: Path,
    *,
    quantization: str,
    prompt: PromptSettings,
    lora: LoraSettings,
    training: TrainingSettings,
    learning_rate: float,
    epochs: int,
    seed: int,
    on_step: Callable[[TrainingStep], None],
) -> TrainingOutcome:
    """Fine-tune a new adapter on the base model and write it to `adapter_folder`.

    The seed decides the adapter's initial weights, the order of the headlines and the dropout.

    Raises:
        InputError: The base model's folder is not fit, or a headline is longer than it takes.
    """
    device = choose_device()
    start_peak_memory(device)
    tokenizer = load_tokenizer(model_folder)
    base = load_model(model_folder, quantization, device)
    examples = encode_examples(headlines, labels, tokenizer, prompt)
    sequences = [example.input_ids for example in examples]
    check_lengths(sequences, longest_allowed(base.config))
    prefix_length = common_prefix_length(sequences)
    model = attach_new_adapter(base, lora.r, lora.alpha, lora.dropout, seed)
    recorder = _StepRecorder(len(examples) * epochs, on_step)
    with TemporaryDirectory() as scratch, quiet_libraries():
        trainer = PrefixTrainer(
            model=model,
            args=_trainer_arguments(Path(scratch), device, training, len(examples), learning_rate, epochs, seed),
            train_dataset=_as_dataset(examples, prefix_length, training.loss),
            data_collator=PrefixCollator(prefix_length, device.dtype),
            processing_class=tokenizer,
            callbacks=[recorder],
        )
        trainer.remove_callback(PrinterCallback)
        start = time.monotonic()
        trainer.train()
    seconds = time.monotonic() - start
    finite = all(bool(weight.isfinite().all()) for weight in model.parameters() if weight.requires_grad)
    save_adapter(model, adapter_folder)
    return TrainingOutcome(
        log=tuple(recorder.log),
        seconds=seconds,
        examples_per_second=len(examples) * epochs / seconds,
        peak_memory_bytes=peak_memory_bytes(device),
        environment=describe_environment(device),
        diverged=recorder.diverged or not finite,
    )


def _as_dataset(examples: Sequence[EncodedExample], prefix_length: int, loss: str) -> datasets.Dataset:
    """Rows for the collator: the tokens, and where the loss starts."""
    whole = loss == "whole-text"
    return datasets.Dataset.from_list(
        [
            {"input_ids": example.input_ids, "loss_start": 1 if whole else max(example.answer_start, prefix_length)}
            for example in examples
        ]
    )


def _trainer_arguments(
    scratch: Path, device: Any, training: TrainingSettings, examples: int, learning_rate: float, epochs: int, seed: int
) -> SFTConfig:
    on_cuda = device.name == "cuda"
    arguments = SFTConfig(
        output_dir=str(scratch),
        num_train_epochs=epochs,
        per_device_train_batch_size=training.micro_batch_size,
        gradient_accumulation_steps=training.batch_size // training.micro_batch_size,
        learning_rate=learning_rate,
        lr_scheduler_type="cosine" if training.schedule == "cosine" else "constant_with_warmup",
        warmup_steps=count_warmup_steps(examples, training, epochs),
        optim=device.optimizer,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        bf16=device.dtype == torch.bfloat16,
        fp16=device.dtype == torch.float16,
        use_cpu=not on_cuda,
        gradient_checkpointing=on_cuda,
        dataloader_pin_memory=on_cuda,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        seed=seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001 (the trainer would spread over every GPU it sees)
    return arguments


class _StepRecorder(TrainerCallback):  # type: ignore[misc]
    """Collects the log, passes each step on, and stops a training whose loss is not a number."""

    def __init__(self, examples: int, on_step: Callable[[TrainingStep], None]) -> None:
        self.examples = examples
        self.on_step = on_step
        self.log: list[TrainingStep] = []
        self.diverged = False
        self.start = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.start = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002 (the signature is transformers')
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if logs is None or "loss" not in logs:
            return
        done = self.examples * state.global_step / state.max_steps
        step = TrainingStep(
            step=state.global_step,
            steps=state.max_steps,
            epoch=float(logs["epoch"]),
            loss=float(logs["loss"]),
            learning_rate=float(logs["learning_rate"]),
            grad_norm=float(logs["grad_norm"]),
            examples_per_second=done / (time.monotonic() - self.start),
            logged_at=datetime.now(UTC),
        )
        self.log.append(step)
        self.diverged = not math.isfinite(step.loss)
        control.should_training_stop = control.should_training_stop or self.diverged
        self.on_step(step)

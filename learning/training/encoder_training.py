"""Fine-tunes encoders from a checked folder, frozen settings and labelled headlines, and writes their folders."""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import datasets
import torch
from transformers import TrainingArguments

from learning.models.adapter_files import ADAPTER_FILES
from learning.models.device import Device, is_out_of_memory, start_peak_memory
from learning.models.encoder import attach_encoder_adapter, label_columns, load_encoder
from learning.models.encoder_checks import FULL_FILES, check_fine_tuned
from learning.models.quiet import quiet_libraries
from learning.training.arguments import plain_arguments, use_one_gpu
from learning.training.cell import OutOfMemoryError
from learning.training.encoder_trainer import EncoderTrainer, PaddingCollator
from learning.training.recipe import Recipe, Training, TrainingOutcome, smaller_micro_batch_size
from learning.training.run import Run
from learning.training.stopping import TrainingStoppedError, stoppable
from schemas.label import LABELS, Label


def train_encoder(
    folder: Path,
    rows: Sequence[dict[str, Any]],
    labels: Sequence[Label],
    training: Training,
    device: Device,
    pad_token: int | None,
    notify: Callable[[str], None],
) -> TrainingOutcome:
    """Fine-tune an encoder, with all weights or LoRA, and write it to its folder.

    The seed determines the weights of a new head and of an adapter, the order of the headlines and the dropout. If
    memory runs out, the micro-batch is halved; the batch stays the same.

    Args:
        folder: The base's folder.
        rows: A tokenizer's output for each of N headlines.
        labels: N labels.
        training: Recipe, output folder and checkpoints.
        device: The device that trains.
        pad_token: The tokenizer's token for padding, if it has one.
        notify: Called with a message for the user: an ignored checkpoint, or memory that ran out.

    Raises:
        OutOfMemoryError: Not even one headline at a time fits into memory.
        TrainingStoppedError: It was requested to stop, and saved a checkpoint.
    """
    lengths = [len(row["input_ids"]) for row in rows]
    run = Run(training, lengths, device, notify)
    settings = training.recipe.training
    size, memory_errors = settings.micro_batch_size or settings.batch_size, 0
    start_peak_memory(device)
    with stoppable(), quiet_libraries():
        while not run.begin():
            try:
                _train(run, folder, rows, labels, lengths, size, pad_token)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            gc.collect()
            memory_errors += 1
            if size == 1:
                raise OutOfMemoryError("out of memory with one headline a pass; train with training.method=lora")
            size = smaller_micro_batch_size(settings.batch_size, size)
            notify(f"out of memory: {size} headlines a pass from here on, batches stay {settings.batch_size}")
    return run.finish(
        ADAPTER_FILES if settings.method == "lora" else FULL_FILES,
        check_fine_tuned,
        {"method": "lora" if settings.method == "lora" else "full", "batches": "padded, of like length"},
        micro_batch_size=size,
        memory_errors=memory_errors,
    )


def _train(
    run: Run,
    folder: Path,
    rows: Sequence[dict[str, Any]],
    labels: Sequence[Label],
    lengths: Sequence[int],
    size: int,
    pad_token: int | None,
) -> None:
    """Train to the end and save the fine-tune; a stop request leaves a checkpoint instead."""
    recipe = run.recipe
    model = load_encoder(folder, run.device, recipe.training.seed)
    columns = label_columns(model)
    numbers = [columns[LABELS.index(label)] for label in labels]
    weights = _weigh(numbers) if recipe.training.class_weights == "balanced" else None
    if recipe.training.method == "lora":
        model = attach_encoder_adapter(model, recipe.lora)
    with run.lend_scratch() as scratch:
        trainer = EncoderTrainer(
            model,
            run.saving,
            lengths,
            weights,
            args=_build_arguments(run, recipe, size, scratch),
            train_dataset=datasets.Dataset.from_list(
                [{**row, "label": number} for row, number in zip(rows, numbers, strict=True)]
            ),
            data_collator=PaddingCollator(pad_token),
            callbacks=[run.reporter],
        )
        run.train(trainer, model)
    if run.stopped:
        raise TrainingStoppedError


def _build_arguments(run: Run, recipe: Recipe, size: int, output: Path) -> TrainingArguments:
    checkpointing = bool(recipe.training.gradient_checkpointing)
    arguments = TrainingArguments(
        **plain_arguments(recipe, run.schedule, run.device, size, output), gradient_checkpointing=checkpointing
    )
    use_one_gpu(arguments)
    return arguments


def _weigh(numbers: Sequence[int]) -> torch.Tensor:
    """[3]: the weight of each class, inverse to its share, with a mean of 1 over the examples.

    If every class occurs, it is that of scikit-learn's `class_weight="balanced"` (King & Zeng 2001).
    """
    counts = Counter(numbers)
    return torch.tensor(
        [len(numbers) / (len(counts) * counts[number]) if counts[number] else 0.0 for number in range(len(LABELS))]
    )

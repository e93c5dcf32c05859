"""The input of trainers: trl's arguments, and rows of tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments
from trl import SFTConfig

from learning.models.device import Device
from learning.models.loaded_base import LoadedBase
from learning.prompt.encoding import EncodedExample
from learning.training.recipe import Recipe
from learning.training.schedule import Schedule
from learning.training.trainer import IGNORED
from schemas.cell import TrainingSettings


def build_arguments(
    recipe: Recipe, schedule: Schedule, device: Device, micro_batch_size: int, output: Path, *, checkpointing: bool
) -> SFTConfig:
    """The arguments of a causal model's trainer, the same as those of a plain `SFTTrainer`."""
    arguments = SFTConfig(
        **plain_arguments(recipe, schedule, device, micro_batch_size, output),
        activation_checkpointing=checkpointing,
        dataset_kwargs={"skip_prepare_dataset": True},
        router_aux_loss_coef=0.0,  # else trl adds to the loss what spreads tokens evenly over experts
    )
    use_one_gpu(arguments)
    return arguments


def use_one_gpu(arguments: TrainingArguments) -> None:
    """Let a trainer use one GPU: it would spread over all that it sees, with a batch for each."""
    arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001 (has no public name)


def plain_arguments(
    recipe: Recipe, schedule: Schedule, device: Device, micro_batch_size: int, output: Path
) -> dict[str, Any]:
    """The arguments of transformers' `Trainer` that every kind of model has in common."""
    training, on_cuda = recipe.training, device.name == "cuda"
    kinds = {"constant": "constant_with_warmup", "cosine": "cosine", "warmup-stable-decay": "warmup_stable_decay"}
    decay = {"num_decay_steps": schedule.decay_steps, "decay_type": "linear"}
    return {
        "output_dir": str(output),
        "num_train_epochs": training.epochs,
        "per_device_train_batch_size": micro_batch_size,
        "gradient_accumulation_steps": training.batch_size // micro_batch_size,
        "learning_rate": training.learning_rate,
        "lr_scheduler_type": kinds[training.schedule],
        "lr_scheduler_kwargs": decay if training.schedule == "warmup-stable-decay" else None,
        "warmup_steps": schedule.warmup_steps,
        "optim": device.optimizer,
        "weight_decay": training.weight_decay,
        "max_grad_norm": training.max_grad_norm,
        "bf16": on_cuda and device.dtype == torch.bfloat16,
        "fp16": on_cuda and device.dtype == torch.float16,
        "use_cpu": not on_cuda,
        "dataloader_pin_memory": on_cuda,
        "accelerator_config": {"non_blocking": on_cuda},
        "remove_unused_columns": False,
        "seed": training.seed,
        "data_seed": training.seed,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def checkpoints_gradients(training: TrainingSettings, base: LoadedBase) -> bool:
    """Whether to use gradient checkpointing: as set, else on a GPU if the base stayed quantised for lack of memory."""
    chosen = training.gradient_checkpointing
    return base.device.name == "cuda" and not base.is_whole if chosen is None else chosen


def encode_rows(examples: Sequence[EncodedExample], *, whole_text: bool) -> list[dict[str, list[int]]]:
    """Rows for a trainer: the tokens, and as labels those under the loss."""
    rows = []
    for example in examples:
        ids = list(example.input_ids)
        ignored = 0 if whole_text else example.answer_start
        rows.append({"input_ids": ids, "labels": [IGNORED] * ignored + ids[ignored:]})
    return rows

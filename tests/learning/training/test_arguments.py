"""The protocol of the study reaches trl's trainer, which would otherwise use defaults of its own."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import get_scheduler

from learning.models.device import choose_device
from learning.training.arguments import build_arguments
from learning.training.recipe import Recipe
from learning.training.schedule import lay_out_steps
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.profiles import build_config, load_profile


@pytest.mark.parametrize("schedule", ["constant", "cosine", "warmup-stable-decay"])
@pytest.mark.parametrize(("examples", "ratio"), [(4, 0.03), (16, 0.9)])
def test_the_shortest_training_of_every_schedule_learns_at_every_step_after_its_warm_up(
    schedule: Any, examples: int, ratio: float, tmp_path: Path
) -> None:
    training = TrainingSettings(loss="completion", schedule=schedule, batch_size=8, epochs=1, warmup_ratio=ratio)
    steps, parameter = lay_out_steps(examples, training), torch.nn.Parameter(torch.zeros(1))
    recipe = Recipe(PromptSettings(), LoraSettings(), training)
    arguments = build_arguments(recipe, steps, choose_device(), 8, tmp_path, checkpointing=False)
    optimizer = torch.optim.AdamW([parameter], lr=1.0)
    kind, options = arguments.lr_scheduler_type, arguments.lr_scheduler_kwargs
    scheduler = get_scheduler(kind, optimizer, steps.warmup_steps, steps.steps, options or {})
    rates = []
    for _ in range(steps.steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert all(rate > 0 for rate in rates[steps.warmup_steps :])
    assert steps.warmup_steps < steps.steps


def test_the_study_is_trained_with_its_optimiser_schedule_and_seed(tmp_path: Path) -> None:
    """Camargo 2024: batches of 8, AdamW, weight decay 0.001, clipping at 0.3, warm-up of 3 % of the steps, cosine."""
    cell = build_config(load_profile("paper")).resolve_all()[-1]
    training = cell.training.model_copy(update={"seed": 7})
    steps, device = lay_out_steps(900, training), choose_device()
    recipe = Recipe(cell.prompt, cell.lora, training)
    arguments = build_arguments(recipe, steps, device, 4, tmp_path, checkpointing=False)
    assert (arguments.learning_rate, arguments.num_train_epochs) == (2e-2, 3)
    assert (arguments.per_device_train_batch_size, arguments.gradient_accumulation_steps) == (4, 2)
    assert (arguments.weight_decay, arguments.max_grad_norm) == (0.001, 0.3)
    assert (arguments.warmup_steps, steps.steps, arguments.lr_scheduler_type.value) == (11, 339, "cosine")
    assert "adamw" in arguments.optim.value
    assert (arguments.seed, arguments.data_seed) == (7, 7)

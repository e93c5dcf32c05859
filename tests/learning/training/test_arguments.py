"""The protocol of the study reaches trl's trainer, which would otherwise use defaults of its own."""

from pathlib import Path

from learning.models.device import choose_device
from learning.training.arguments import build_arguments
from learning.training.recipe import Recipe
from learning.training.schedule import lay_out_steps
from schemas.profiles import build_config, load_profile


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

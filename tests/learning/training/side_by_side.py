"""Short trainings side by side, and the comparison of two of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file

from embedded.grammar import generate_headline
from learning.models.loaded_base import LoadedBase
from learning.training.cell import train_adapters
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, Training, TrainingOutcome
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label

EXAMPLES = 24
ONE_PASS_A_STEP, TWO_PASSES_A_STEP = 8, 4
"""Headlines in a pass; with one pass in each step, the next pass begins before the step is logged."""


def recipe(rate: float, epochs: int = 1, seed: int = 7, dropout: float = 0.0, **changes: object) -> Recipe:
    defaults = {"learning_rate": rate, "epochs": epochs, "seed": seed, "loss": "whole-text", "schedule": "constant"}
    values = {**defaults, "batch_size": 8, "micro_batch_size": TWO_PASSES_A_STEP, **changes}
    lora = LoraSettings(r=8, alpha=16, dropout=dropout)
    return Recipe(PromptSettings(), lora, TrainingSettings.model_validate(values))


def train(
    base: LoadedBase,
    folder: Path,
    recipes: list[Recipe],
    stores: list[CheckpointStore | None] | None = None,
    sizes: Sequence[int] = (),
    notify: Callable[[str], None] = lambda _: None,
) -> list[tuple[TrainingOutcome, dict[str, torch.Tensor]]]:
    """Train the recipes and check how many of them ran side by side: as many as they set, or `sizes`."""
    random = Random(5)
    headlines = [generate_headline(random) for _ in range(EXAMPLES)]
    texts, labels = [headline.text for headline in headlines], [Label(headline.sentiment) for headline in headlines]
    stores = stores or [None] * len(recipes)
    trainings = [
        Training(recipe, folder / str(number), store)
        for number, (recipe, store) in enumerate(zip(recipes, stores, strict=True))
    ]
    outcomes = train_adapters(base, texts, labels, trainings, notify=notify)
    size = 1 if recipes[0].training.side_by_side == "auto" else len(recipes)
    measured = [int(outcome.environment["side_by_side"]) for outcome in outcomes]
    assert measured == list(sizes or [size] * len(recipes))
    return [
        (outcome, load_file(folder / str(number) / "adapter_model.safetensors"))
        for number, outcome in enumerate(outcomes)
    ]


def set_side_by_side(recipes: list[Recipe], size: int) -> list[Recipe]:
    return [retrained(recipe, side_by_side=size) for recipe in recipes]


def retrained(recipe: Recipe, **changes: object) -> Recipe:
    """The recipe with other settings of its training."""
    return replace(recipe, training=recipe.training.model_copy(update=changes))


def check_same(
    one: tuple[TrainingOutcome, dict[str, torch.Tensor]], other: tuple[TrainingOutcome, dict[str, torch.Tensor]]
) -> None:
    for step, expected in zip(one[0].log, other[0].log, strict=True):
        assert (step.step, step.epoch, step.learning_rate) == (expected.step, expected.epoch, expected.learning_rate)
        assert step.loss == pytest.approx(expected.loss, rel=1e-4)
        assert step.grad_norm == pytest.approx(expected.grad_norm, rel=1e-3)
    for name, weight in one[1].items():
        torch.testing.assert_close(weight, other[1][name], rtol=1e-3, atol=3e-5)

"""The steps of a training, which of them longer ones share, and how many a grid trains in all."""

from itertools import product
from typing import Any

import pytest

from learning.training.schedule import (
    Schedule,
    added_steps,
    count_steps,
    count_steps_alone,
    count_trained_steps,
    lay_out_steps,
)
from schemas.cell import BaseModelSettings, CellSettings, LoraSettings, PromptSettings, TrainingSettings


def settings(schedule: Any, epochs: int = 3, **changes: Any) -> TrainingSettings:
    return TrainingSettings(loss="completion", schedule=schedule, epochs=epochs, **changes)


def cells(
    rates: tuple[float, ...], epochs: tuple[int, ...], seeds: tuple[int, ...] = (42,), schedule: Any = "constant"
) -> list[CellSettings]:
    return [
        CellSettings(
            base_model=BaseModelSettings(name="m"), training=settings(schedule, count, learning_rate=rate, seed=seed)
        )
        for rate, count, seed in product(rates, epochs, seeds)
    ]


@pytest.mark.parametrize(
    ("examples", "batch_size", "epochs", "steps"), [(900, 8, 1, 113), (900, 8, 3, 339), (8, 8, 2, 2), (1, 8, 1, 1)]
)
def test_the_last_batch_of_an_epoch_may_be_short(examples: int, batch_size: int, epochs: int, steps: int) -> None:
    assert count_steps(examples, batch_size, epochs) == steps


@pytest.mark.parametrize(("schedule", "steps"), [("constant", [4, 4, 4]), ("cosine", [4, 11, 45])])
def test_only_a_cosines_warm_up_depends_on_the_epochs(schedule: Any, steps: list[int]) -> None:
    assert [lay_out_steps(900, settings(schedule, epochs=epochs)).warmup_steps for epochs in (1, 3, 13)] == steps


@pytest.mark.parametrize("schedule", ["constant", "cosine", "warmup-stable-decay"])
def test_a_warm_up_ratio_of_0_has_no_steps(schedule: Any) -> None:
    assert lay_out_steps(900, settings(schedule, warmup_ratio=0, epochs=3)).warmup_steps == 0


@pytest.mark.parametrize("schedule", ["constant", "cosine", "warmup-stable-decay"])
def test_a_warm_up_is_never_all_steps_and_the_same_for_every_number_of_epochs_unless_it_is_a_cosines(
    schedule: Any,
) -> None:
    """Transformers' first step of a warm-up has a learning rate of 0, so a training of it alone learns nothing."""
    layouts = [lay_out_steps(8, settings(schedule, warmup_ratio=0.9, epochs=epochs)) for epochs in (1, 2, 3)]
    assert [layout.steps for layout in layouts] == [1, 2, 3]
    assert [layout.warmup_steps for layout in layouts] == ([0, 1, 2] if schedule == "cosine" else [0, 0, 0])


def test_shared_steps_end_where_the_number_of_epochs_begins_to_matter() -> None:
    assert lay_out_steps(900, settings("constant", epochs=3)) == Schedule(339, 4, 0, 339)
    assert lay_out_steps(900, settings("cosine", epochs=3)) == Schedule(339, 11, 0, 0)
    assert lay_out_steps(900, settings("warmup-stable-decay", epochs=3)) == Schedule(339, 4, 68, 271)


def test_a_decay_never_reaches_into_the_warm_up() -> None:
    whole = lay_out_steps(80, settings("warmup-stable-decay", decay_ratio=1, warmup_ratio=0.5, epochs=1))
    assert whole == Schedule(10, 5, 5, 5)


@pytest.mark.parametrize(
    ("schedule", "trained"),
    [("constant", 3 * 339), ("cosine", 3 * (113 + 339)), ("warmup-stable-decay", 3 * (339 + 23))],
)
def test_steps_that_cells_share_are_trained_once(schedule: Any, trained: int) -> None:
    assert count_trained_steps(cells((2e-6, 2e-4, 2e-2), (1, 3), schedule=schedule), 900) == trained


def test_seeds_share_nothing() -> None:
    assert count_trained_steps(cells((1e-3,), (1, 2), (1, 2, 3)), 80) == 3 * 20


def test_fixed_examples_are_not_trained_on() -> None:
    [cell] = cells((1e-3,), (1,))
    with_examples = [
        cell.model_copy(update={"prompt": PromptSettings(examples=8, examples_by=by)}) for by in ("fixed", "nearest")
    ]
    assert [count_trained_steps([each], 81) for each in (cell, *with_examples)] == [11, 10, 11]
    assert count_steps_alone([cell, *with_examples], 81) == 32


def test_an_epoch_curve_costs_its_longest_cell() -> None:
    assert count_trained_steps(cells((2e-4,), tuple(range(1, 14))), 900) == 13 * 113


@pytest.mark.parametrize(
    ("schedule", "added"), [("constant", [10, 20]), ("cosine", [10, 30]), ("warmup-stable-decay", [10, 22])]
)
def test_a_longer_cell_adds_what_a_shorter_one_before_it_has_not_trained(schedule: Any, added: list[int]) -> None:
    assert added_steps(cells((1e-3, 1e-4), (1, 3), schedule=schedule), 80) == added * 2


def test_only_cells_that_differ_in_nothing_but_epochs_share_steps() -> None:
    short, longer = cells((1e-3,), (1, 2))
    assert count_trained_steps([short, longer], 80) == 20
    for other in (
        longer.model_copy(update={"lora": LoraSettings(r=4)}),
        longer.model_copy(update={"base_model": BaseModelSettings(name="n")}),
        longer.model_copy(update={"training": longer.training.model_copy(update={"batch_size": 16})}),
    ):
        alone = count_trained_steps([short], 80) + count_trained_steps([other], 80)
        assert count_trained_steps([short, other], 80) == alone
    retried = longer.model_copy(update={"training": longer.training.model_copy(update={"retries": 7})})
    assert count_trained_steps([short, retried], 80) == 20

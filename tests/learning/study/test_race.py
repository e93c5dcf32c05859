"""A race drops cells that are significantly worse than the best, and seldom one that is as good."""

import numpy as np
import pytest

from learning.study.grid import plan_study
from learning.study.race import Standing, judge_round
from learning.training.racers import count_most_saved, count_tests, group_by_field, list_racers
from schemas.overrides import apply_overrides
from schemas.plan import FoundModel, ModelCell
from schemas.profiles import build_config, load_profile
from tests.learning.study.demo_plans import BASE

LEVEL = 0.05


def cells(*assignments: str) -> tuple[ModelCell, ...]:
    config = build_config(apply_overrides(load_profile("demo"), assignments))
    return plan_study(config, "data", "split", lambda settings: FoundModel(BASE, settings), []).cells


def race_equals(random: np.random.Generator, racers: int, epochs: int, headlines: int) -> list[int]:
    """Run a race of equally good racers, whose answers correlate as those of real cells do.

    Returns:
        Those that were dropped.
    """
    bound = LEVEL / (racers * (racers - 1) // 2 * (epochs - 1))
    dropped: list[int] = []
    difficulty = random.beta(4, 1, size=headlines)
    for _ in range(1, epochs):
        standings = []
        for racer in set(range(racers)) - set(dropped):
            right = random.random(headlines) < difficulty
            standings.append(Standing(racer, right, float(right.mean())))
        dropped += [drop.racer for drop in judge_round(standings, bound)]
    return dropped


@pytest.mark.parametrize(("racers", "epochs", "headlines"), [(2, 2, 300), (3, 3, 300), (9, 4, 100)])
def test_of_equal_cells_the_best_is_dropped_in_at_most_5_percent_of_the_races(
    racers: int, epochs: int, headlines: int
) -> None:
    random = np.random.default_rng(7)
    races = [race_equals(random, racers, epochs, headlines) for _ in range(400)]
    assert np.mean([0 in dropped for dropped in races]) <= LEVEL  # the best may be any of them: they are equal
    assert np.mean([bool(dropped) for dropped in races]) <= LEVEL


def test_without_the_correction_the_simulation_finds_too_many_drops() -> None:
    random = np.random.default_rng(7)
    any_dropped = []
    for _ in range(200):
        standings = []
        for racer in range(9):
            right = random.random(100) < 0.8
            standings.append(Standing(racer, right, float(right.mean())))
        any_dropped.append(bool(judge_round(standings, LEVEL)))
    assert np.mean(any_dropped) > 2 * LEVEL


def test_a_cell_that_is_far_worse_is_dropped_and_one_that_is_a_little_worse_stays() -> None:
    random = np.random.default_rng(1)
    accuracies = {"best": 0.85, "little": 0.82, "far": 0.5}
    answers = {racer: random.random(300) < accuracy for racer, accuracy in accuracies.items()}
    standings = [Standing(racer, right, float(right.mean())) for racer, right in answers.items()]
    [drop] = judge_round(standings, LEVEL / 6)
    assert (drop.racer, drop.best, drop.n) == ("far", "best", 300)
    assert drop.p_value < LEVEL / 6
    assert judge_round(standings, drop.p_value) == [drop]
    assert judge_round(standings, drop.p_value * 0.99) == []
    assert (drop.accuracy, drop.best_accuracy) == (answers["far"].mean(), answers["best"].mean())


def test_a_cell_of_lower_balanced_accuracy_stays_where_more_of_its_answers_are_right() -> None:
    """Selection looks at balanced accuracy, and the test at accuracy: a drop needs both."""
    often = np.array([True] * 90 + [False] * 10)
    seldom = np.array([False] * 60 + [True] * 40)
    standings = [Standing("often right", often, 0.5), Standing("balanced", seldom, 0.7)]
    assert judge_round(standings, LEVEL) == []


def test_of_two_that_selection_ties_the_first_is_the_best() -> None:
    often, seldom = (Standing(f"{n} right", np.arange(100) < n, 0.5) for n in (90, 40))
    [drop] = judge_round([often, seldom], LEVEL)
    assert (drop.racer, drop.best) == ("40 right", "90 right")
    assert judge_round([seldom, often], LEVEL) == []


def test_cells_that_share_a_training_are_one_racer() -> None:
    racers = list_racers(cells("grid.epochs=1,2,3", "grid.learning_rates=1e-3,2e-4"))
    assert [[cell.settings.training.epochs for cell in racer.cells] for racer in racers] == [[1, 2, 3]] * 2
    assert [len(field) for field in group_by_field(racers, 2)] == [2]
    assert group_by_field(racers, 3) == group_by_field(racers[:1], 1) == []
    assert count_tests(racers) == 2
    assert [cell.settings.training.epochs for cell in racers[0].longer(1)] == [2, 3]


def test_cells_of_a_cosine_race_only_with_cells_of_their_length() -> None:
    racers = list_racers(cells("grid.epochs=1,3", "grid.learning_rates=1e-3,2e-4,1e-5", "training.schedule=cosine"))
    assert len(racers) == 6
    for epoch in (1, 2):
        [field] = group_by_field(racers, epoch)
        assert {racer.last for racer in field} == {3}
    assert count_tests(racers) == 6


@pytest.mark.parametrize(
    ("schedule", "epochs", "saved"),
    [
        ("constant", "1,3", 2 * 226),
        ("cosine", "1,3", 2 * 226),
        ("warmup-stable-decay", "1,3", 2 * 226),  # the decay of a cell of one epoch is in that epoch
        ("constant", "3,2", 2 * 226),
        ("cosine", "3,2", 2 * 226 + 2 * 113),
        ("warmup-stable-decay", "3,2", 2 * (226 + 46)),
    ],
)
def test_a_race_saves_at_most_all_epochs_but_the_first_of_all_racers_but_one(
    schedule: str, epochs: str, saved: int
) -> None:
    grid = cells(f"grid.epochs={epochs}", "grid.learning_rates=1e-3,2e-4,1e-5", f"training.schedule={schedule}")
    assert count_most_saved([cell.settings for cell in grid], 900) == saved


def test_of_racers_with_batches_of_different_sizes_the_one_with_the_fewest_steps_may_stay() -> None:
    grid = cells("grid.epochs=2", "grid.learning_rates=1e-3", "grid.training.batch_size=8,16")
    assert count_most_saved([cell.settings for cell in grid], 900) == 113


def test_fixed_examples_have_no_steps_that_a_race_could_save() -> None:
    grid = cells("grid.epochs=2", "grid.learning_rates=1e-3,2e-4", "prompt.examples=8", "prompt.examples_by=fixed")
    assert count_most_saved([cell.settings for cell in grid], 80) == 9


def test_a_race_over_one_epoch_saves_nothing() -> None:
    assert count_most_saved([cell.settings for cell in cells("grid.epochs=1")], 900) == 0

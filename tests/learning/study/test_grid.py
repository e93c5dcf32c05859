"""The plan of a study: which cells there are, which is best, and in which order they run."""

from pathlib import Path
from typing import Any

import pytest

from learning.baselines.registry import plan_baselines
from learning.study.grid import best_row, plan_curve, plan_study, running_order, split_apart
from schemas.overrides import apply_overrides
from schemas.plan import BaseModelPlan, EncoderPlan, StudyPlan
from schemas.profiles import build_config, load_profile

BASE = BaseModelPlan(name="embedded", folder=Path("model"), revision="0123456789abcdef", quantization="nf4")


def plan(profile: str, *assignments: str, encoder: EncoderPlan | None = None) -> StudyPlan:
    named = [f"baselines.embedding_model={encoder.name}"] if encoder else []
    config = build_config(apply_overrides(load_profile(profile), [*assignments, *named]))
    return plan_study(config, "snapshot", "split", BASE, plan_baselines(config.baselines, encoder), encoder)


def all_ids(study: StudyPlan) -> list[str]:
    return [cell.cell_id for cell in (study.base_cell, *study.baselines, *study.cells)]


def row(**values: Any) -> dict[str, Any]:
    usual = {"cell_id": "a", "temperature": 0.1, "balanced_accuracy": 0.8, "learning_rate": 1e-3}
    return usual | {"epochs": 3, "seed": 42} | values


def names_of_baselines(study: StudyPlan) -> list[str]:
    assert {cell.kind for cell in study.baselines} <= {"baseline"}
    return [cell.model for cell in study.baselines]


@pytest.mark.parametrize("profile", ["demo", "paper", "desk"])
def test_a_profile_has_the_three_baselines_that_need_nothing_more(profile: str) -> None:
    assert names_of_baselines(plan(profile)) == ["majority class", "finance lexicon", "TF-IDF + linear SVM"]


def test_the_baselines_are_those_that_the_study_names() -> None:
    assert names_of_baselines(plan("demo", "baselines.names=finance lexicon")) == ["finance lexicon"]
    assert names_of_baselines(plan("demo", "baselines.names=")) == []


def test_an_encoder_adds_a_baseline_that_is_known_by_the_encoders_revision() -> None:
    first, moved, other = (
        plan("demo", encoder=EncoderPlan(name=name, folder=Path(name), revision=revision))
        for name, revision in (("here", "1"), ("there", "1"), ("here", "2"))
    )
    assert names_of_baselines(first)[3:] == ["sentence embeddings + logistic regression"]
    assert all_ids(first) == all_ids(moved)
    assert len(set(all_ids(first)) ^ set(all_ids(other))) == 2
    assert set(all_ids(plan("demo"))) < set(all_ids(first))


def test_the_demo_has_the_base_model_three_baselines_and_six_cells() -> None:
    study = plan("demo")
    assert (study.base_cell.kind, study.base_cell.model) == ("base", "embedded")
    grid = [(cell.learning_rate, cell.epochs, cell.seed) for cell in study.cells]
    assert grid == [(rate, epochs, 42) for rate in (2e-6, 1e-3, 5e-2) for epochs in (1, 3)]
    assert len(set(all_ids(study))) == 1 + 3 + 6


def test_every_seed_is_a_cell_of_its_own() -> None:
    study = plan("demo", "grid.seeds=1,2,3")
    assert len(study.cells) == 18
    assert len(set(all_ids(study))) == 1 + 3 + 18


def test_planning_twice_gives_the_same_ids() -> None:
    assert plan("paper") == plan("paper")


def test_the_curve_adds_the_epochs_that_the_papers_grid_lacks() -> None:
    study = plan("paper")
    curve = plan_curve(study, 2e-4)
    assert [cell.epochs for cell in curve] == [2, *range(4, 14)]
    assert {cell.learning_rate for cell in curve} == {2e-4}
    assert not {cell.cell_id for cell in curve} & set(all_ids(study))


def test_a_study_without_curve_adds_nothing() -> None:
    assert plan_curve(plan("demo"), 1e-3) == ()


def test_the_best_row_has_the_highest_balanced_accuracy_at_the_lowest_temperature() -> None:
    best = row(balanced_accuracy=0.81, epochs=5)
    rows = [row(), best, row(temperature=1.0, balanced_accuracy=0.99), row(balanced_accuracy=0.7)]
    assert best_row(rows) == best
    assert best_row(rows[::-1]) == best


@pytest.mark.parametrize("dearer", [{"epochs": 4}, {"learning_rate": 2e-3}, {"seed": 43}])
def test_of_equals_the_cheapest_is_best(dearer: dict[str, Any]) -> None:
    assert best_row([row(**dearer), row()]) == row()
    assert best_row([row(), row(**dearer)]) == row()


def test_cells_that_share_a_training_run_one_after_the_other_the_shorter_first() -> None:
    study = plan("demo", "grid.learning_rates=1e-3,1e-4", "grid.epochs=3,1", "grid.seeds=2,1")
    order = [(cell.learning_rate, cell.seed, cell.epochs) for cell in running_order(study.cells)]
    assert order == [(rate, seed, epochs) for rate in (1e-3, 1e-4) for seed in (2, 1) for epochs in (1, 3)]


@pytest.mark.parametrize(("schedule", "together"), [("constant", 2), ("warmup-stable-decay", 2), ("cosine", 1)])
def test_cells_that_share_no_training_are_apart(schedule: str, together: int) -> None:
    study = plan("demo", f"training.schedule={schedule}")
    apart = split_apart(study.cells, schedule)
    assert [len(cells) for cells in apart] == [together] * (6 // together)
    assert [cell for cells in apart for cell in cells] == running_order(study.cells)

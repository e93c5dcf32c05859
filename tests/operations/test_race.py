"""A race in the warehouse: what a pause saves, who still races, and what a comparison drops."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learning.study.evaluation import Evaluation, LabelledPart
from learning.study.grid import plan_study
from learning.study.metrics import measure
from learning.study.unparsed import UNPARSED
from operations.planning import add_plan, study_record
from operations.race import drop_cells, find_racing, has_answered, identify_pause, save_answers
from schemas.plan import IngestedSource, StudyPlan
from storage.races import DropRecord, PauseRecord, load_answers, save_drops, save_pause
from storage.studies import save_study
from tests.learning.study.demo_plans import demo, find_base

INGESTED = IngestedSource(ingest_id="ingest", snapshot_id="data", source="news.csv", synthetic=False, is_new=True)
RATES = {1e-2: 90, 1e-3: 90, 1e-4: 20, 1e-5: None}
"""How many of a hundred answers of each learning rate are right after the first epoch; None without answers."""


@pytest.fixture
def race(new_home: Path) -> StudyPlan:
    """A planned race of four trainings; three have answered validation at the end of the first epoch."""
    rates = ",".join(map(str, RATES))
    config = demo("search=race", "grid.epochs=3", f"grid.learning_rates={rates}")
    study = plan_study(config, "data", "split", find_base, [])
    save_study(new_home / "warehouse.duckdb", study_record(study, INGESTED))
    add_plan(study)
    for cell in study.cells:
        if right := RATES[cell.settings.training.learning_rate]:
            answers = [place < right for place in range(100)]
            pause = PauseRecord(identify_pause(study, cell, 1), cell.cell_id, 1, 0.1, answers, right / 100, 1.0)
            save_pause(new_home / "warehouse.duckdb", pause)
    return study


def rate_of(study: StudyPlan, cell_id: str) -> float:
    [cell] = [cell for cell in study.cells if cell.cell_id == cell_id]
    return cell.settings.training.learning_rate


def test_the_worst_is_dropped_by_the_best_of_the_lowest_learning_rate_and_races_no_more(race: StudyPlan) -> None:
    [dropped] = drop_cells(race, 1)
    assert rate_of(race, dropped.drop.cell_id) == 1e-4
    assert rate_of(race, dropped.drop.best_cell_id) == 1e-3  # it ties with 1e-2
    assert (dropped.drop.accuracy, dropped.drop.best_accuracy) == (0.2, 0.9)
    assert drop_cells(race, 1) == [dropped]
    assert len(find_racing(race, 1)) == 4  # a later run compares the same
    assert [racer.cells[0].settings.training.learning_rate for racer in find_racing(race, 2)] == [1e-2, 1e-3, 1e-5]
    assert drop_cells(race, 2) == []  # nobody has answered then


def test_a_dropped_racer_races_no_more_though_its_longest_cell_is_evaluated_elsewhere(new_home: Path) -> None:
    study = plan_study(
        demo("search=race", "grid.epochs=2,4,6", "grid.learning_rates=1e-3"), "data", "split", find_base, []
    )
    save_study(new_home / "warehouse.duckdb", study_record(study, INGESTED))
    add_plan(study)
    figures = {"n": 100, "accuracy": 0.2, "best_accuracy": 0.9, "p_value": 1e-4, "bound": 1e-3}
    drops = [DropRecord(cell.cell_id, 1, study.cells[-1].cell_id, **figures) for cell in study.cells[:-1]]
    save_drops(new_home / "warehouse.duckdb", study.study_id, drops)
    assert [len(find_racing(study, epoch)) for epoch in (1, 2, 3)] == [1, 0, 0]


def test_answers_at_a_pause_are_saved_by_headline_and_an_unparsed_one_is_neutral(
    race: StudyPlan, new_home: Path
) -> None:
    labels: Any = ("negative", "neutral", "positive", "positive")
    part = LabelledPart("validation", ("b", "a", "d", "c"), (), labels)
    outcomes = np.array([0, UNPARSED, 1, 2])
    probabilities = np.array([[0.6, 0.2, 0.1, 0.1], [0.1, 0.3, 0.2, 0.4], [0.2, 0.5, 0.2, 0.1], [0.1, 0.1, 0.8, 0.0]])
    metrics = measure(part.label_numbers, outcomes, probabilities, outcomes)
    cell = race.cells[0]
    save_answers(race, cell, 2, Evaluation(part, 0.1, metrics, outcomes, probabilities, 1.0))
    assert [has_answered(race, cell, epoch) for epoch in (1, 2, 3)] == [True, True, False]
    [(right, balanced)] = load_answers(new_home / "warehouse.duckdb", [identify_pause(race, cell, 2)]).values()
    assert right.tolist() == [True, True, True, False]
    assert balanced == pytest.approx((0.6 + (0.3 + 0.4) + (0.2 + 0.8) / 2) / 3)

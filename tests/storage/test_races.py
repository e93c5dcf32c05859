"""A cell that a race drops is out of its own study only; answers are loaded as they were saved."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from storage.cell_progress import finish_cell, save_training_log
from storage.cells import CellOutcome, add_cells
from storage.deletion import delete_study
from storage.evaluations import save_evaluations
from storage.races import DropRecord, PauseRecord, load_answers, load_drops, save_drops, save_pause
from storage.studies import save_study
from tests.asking import ask

DROP = DropRecord("late", 1, "tuned", 100, 0.5, 0.75, 1e-6, 0.01)
PAUSE = PauseRecord("pause", "late", 2, 0.1, [True, False, True], 0.5, 1.5)


@pytest.fixture
def race(finished: Path, cell) -> Path:
    """A study with a cell that has not run."""
    add_cells(finished, "study", [cell(cell_id="late", name="lr=2e-06 epochs=3")])
    return finished


def evaluate_late(warehouse: Path, evaluation, predict) -> None:
    records = [evaluation("late", temperature) for temperature in (0.1, 1, 10)]
    save_evaluations(warehouse, records, pd.concat([predict(each.evaluation_id) for each in records]))


def missing(warehouse: Path) -> list[str]:
    return [name for (name,) in ask(warehouse, "SELECT cell_id FROM missing_cells WHERE study_id = 'study'")]


def test_a_dropped_cell_is_not_missing_and_has_its_epoch_and_p(race: Path) -> None:
    assert "late" in missing(race)
    save_drops(race, "study", [DROP])
    assert "late" not in missing(race)
    rows = ask(race, "SELECT cell_name, status, epoch, p_value, best_cell_id FROM dropped_cells")
    assert rows == [("lr=2e-06 epochs=3", "dropped", 1, 1e-6, "tuned")]
    [dropped] = load_drops(race, "study")
    assert (dropped.name, dropped.drop) == ("lr=2e-06 epochs=3", DROP)


def test_the_first_drop_of_a_cell_stays(race: Path) -> None:
    save_drops(race, "study", [DROP])
    save_drops(race, "study", [replace(DROP, epoch=2)])
    assert [dropped.drop.epoch for dropped in load_drops(race, "study")] == [1]


def test_a_cell_that_is_evaluated_is_not_dropped(race: Path, evaluation, predict) -> None:
    evaluate_late(race, evaluation, predict)
    save_drops(race, "study", [DROP])
    assert load_drops(race, "study") == []


def test_what_another_study_evaluates_later_changes_no_race(race: Path, study, cell, evaluation, predict) -> None:
    save_drops(race, "study", [DROP])
    save_study(race, study(study_id="all"))
    add_cells(race, "all", [cell(cell_id="late")])
    evaluate_late(race, evaluation, predict)
    seen = ask(race, "SELECT study_id, count(*) FROM leaderboard WHERE cell_id = 'late' GROUP BY ALL")
    assert seen == [("all", 3)]
    assert "late" not in missing(race)


def test_a_deleted_study_takes_its_drops_and_pauses_with_it(race: Path) -> None:
    save_drops(race, "study", [DROP])
    save_pause(race, PAUSE)
    delete_study(race, "study")
    assert ask(race, "SELECT count(*) FROM ledger.drops") == [(0,)]
    assert ask(race, "SELECT count(*) FROM ledger.pauses") == [(0,)]


def test_answers_are_those_of_evaluations_and_of_pauses(race: Path, evaluation, predict) -> None:
    save_pause(race, PAUSE)
    save_pause(race, replace(PAUSE, balanced_accuracy=0.9))
    answers = load_answers(race, ["tuned at 0.1", "pause", "unknown"])
    right = ask(
        race,
        "SELECT list(predicted = label ORDER BY headline_id) FROM predictions WHERE evaluation_id = 'tuned at 0.1'",
    )[0][0]
    assert {name: (hits.tolist(), balanced) for name, (hits, balanced) in answers.items()} == {
        "tuned at 0.1": (right, pytest.approx((0.25 + 0.5 + 0.25) / 3)),  # what is unparsed counts as neutral
        "pause": ([True, False, True], 0.5),
    }


def test_the_loss_of_a_training_without_an_outcome_ends_where_its_log_ends(race: Path) -> None:
    """A cell that was dropped or interrupted has no outcome."""
    finish_cell(race, "tuned", CellOutcome(steps=3))
    log = {"cell_id": "late", "step": [1, 2], "epoch": 1, "loss": [7.0, 6.0], "grad_norm": 1.0}
    rest = {"learning_rate": 1e-3, "examples_per_second": 1, "logged_at": "2026-01-01"}
    save_training_log(race, pd.DataFrame({**log, **rest}), whole=True)
    assert ask(race, "SELECT steps FROM ledger.trainings WHERE cell_id = 'late'") == [(2,)]

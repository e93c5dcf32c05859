"""Studies, cells and training logs come back as they were saved."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from schemas.errors import InputError
from storage.cell_progress import fail_cell, finish_cell, save_training_log, start_cell
from storage.cells import CellOutcome, add_cells, load_cell
from storage.champions import Decision, save_decision
from storage.comparisons import save_comparisons
from storage.evaluations import forget_evaluations, save_evaluations
from storage.studies import StudyDeletedError, finish_study, is_answered, save_study, start_study
from tests.asking import ask

OUTCOME = CellOutcome(339, 24.5, 37.0, 2**31, "adapters/tuned", {"torch": "2.13", "device": "cpu"})


def test_a_run_names_and_tags_its_study_and_a_run_without_name_and_tags_keeps_them(warehouse, study):
    def read() -> tuple:
        return ask(warehouse, "SELECT name, tags['desk'], cardinality(tags) FROM studies")[0]

    save_study(warehouse, study())
    assert read() == (None, None, 0)
    save_study(warehouse, study(name="weekly", tags={"desk": "fx", "why": "new data"}))
    assert read() == ("weekly", "fx", 2)
    save_study(warehouse, study())
    assert read() == ("weekly", "fx", 2)
    save_study(warehouse, study(name="monthly", tags={"desk": "rates"}))
    assert read() == ("monthly", "rates", 1)


def test_a_study_that_runs_again_is_one_study(warehouse, study):
    save_study(warehouse, study())
    finish_study(warehouse, "study", "failed")
    assert ask(warehouse, "SELECT status, finished_at IS NULL FROM studies") == [("failed", False)]
    save_study(warehouse, study())
    assert ask(warehouse, "SELECT status FROM studies") == [("failed",)]
    start_study(warehouse, "study", {"name": "paper"})
    rows = ask(warehouse, "SELECT status, finished_at, temperatures, config->>'name' FROM studies")
    assert rows == [("running", None, [0.1, 1.0, 10.0], "paper")]


def compare_once(warehouse):
    """Save a comparison of the study with arbitrary figures."""
    figures = [f"{name}{end}" for name in ("difference", "macro_f1_difference") for end in ("", "_low", "_high")]
    row = dict.fromkeys(("n", "only_right", "only_other_right", "accuracy", "other_accuracy", "p_value", *figures), 1)
    cells = {"temperature": 1, "cell_id": "tuned", "other_cell_id": "base"}
    save_comparisons(warehouse, "study", "test", pd.DataFrame([row | cells]))


def test_a_study_is_answered_when_it_finished_and_no_evaluation_or_comparison_is_missing(finished, evaluation, predict):
    finish_study(finished, "study", "finished")
    assert not is_answered(finished, "study")  # it has evaluations on test and none on validation
    cells = [("tuned", (10, 0.1, 1)), ("base", (10, 0.1, 1)), ("svm", (None,))]
    for cell_id, temperatures in cells:
        more = [
            evaluation(cell_id, temperature, part="validation", evaluation_id=f"{cell_id} {temperature}")
            for temperature in temperatures
        ]
        save_evaluations(finished, more, pd.concat([predict(each.evaluation_id) for each in more]))
    assert not is_answered(finished, "study")  # its cells are not compared
    compare_once(finished)
    assert not is_answered(finished, "study")  # no cell was judged
    save_decision(finished, Decision("kept", "gate", "because", "study", "tuned", 0.1), None)
    assert is_answered(finished, "study")
    start_study(finished, "study", {"name": "paper"})
    assert not is_answered(finished, "study")
    finish_study(finished, "study", "finished")
    forget_evaluations(finished, "tuned")
    assert not is_answered(finished, "study")


def test_a_study_that_was_deleted_is_not_answered_and_does_not_start(finished: Path) -> None:
    assert not is_answered(finished, "deadbeef")
    with pytest.raises(StudyDeletedError, match="study deadbeef: it was deleted before it began; run it again"):
        start_study(finished, "deadbeef", {})


def test_a_study_of_one_cell_is_answered_without_comparisons(data, study, cell, evaluation, predict):
    save_study(data, study())
    add_cells(data, "study", [cell()])
    finish_cell(data, "tuned", OUTCOME)
    both = [
        evaluation("tuned", temperature, part=part, evaluation_id=f"{part} {temperature}")
        for part in ("validation", "test")
        for temperature in (10, 0.1, 1)
    ]
    save_evaluations(data, both, pd.concat([predict(each.evaluation_id) for each in both]))
    save_decision(data, Decision("kept", "gate", "because", "study", "tuned", 0.1), None)
    finish_study(data, "study", "finished")
    assert is_answered(data, "study")


def test_a_cell_goes_from_planned_to_finished(warehouse, study, cell):
    save_study(warehouse, study())
    add_cells(warehouse, "study", [cell()])
    planned = load_cell(warehouse, "tuned")
    assert (planned.record, planned.status, planned.outcome) == (cell(), "planned", None)
    start_cell(warehouse, "tuned")
    assert load_cell(warehouse, "tuned").status == "running"
    finish_cell(warehouse, "tuned", OUTCOME)
    finished = load_cell(warehouse, "tuned")
    assert (finished.status, finished.reason, finished.outcome) == ("finished", None, OUTCOME)


def test_a_failed_cell_has_a_reason_until_it_starts_again(warehouse, cell):
    add_cells(warehouse, "study", [cell()])
    start_cell(warehouse, "tuned")
    fail_cell(warehouse, "tuned", "loss is not a number")
    assert load_cell(warehouse, "tuned").reason == "loss is not a number"
    start_cell(warehouse, "tuned")
    assert load_cell(warehouse, "tuned").reason is None


def test_a_cell_of_two_studies_keeps_its_status(warehouse, cell):
    add_cells(warehouse, "study", [cell()])
    finish_cell(warehouse, "tuned", OUTCOME)
    add_cells(warehouse, "another", [cell(cell_id="base", kind="base"), cell()])
    assert load_cell(warehouse, "tuned").status == "finished"
    assert ask(warehouse, "SELECT study_id, cell_id, position FROM study_cells ORDER BY ALL") == [
        ("another", "base", 0),
        ("another", "tuned", 1),
        ("study", "tuned", 0),
    ]


def test_cells_that_are_added_later_come_after(warehouse, cell):
    add_cells(warehouse, "study", [cell(cell_id="z"), cell(cell_id="a")])
    add_cells(warehouse, "study", [cell(cell_id="a"), cell(cell_id="m")])
    assert ask(warehouse, "SELECT cell_id FROM study_cells ORDER BY position") == [("z",), ("a",), ("m",)]


@pytest.mark.parametrize(
    "use",
    [
        load_cell,
        start_cell,
        lambda warehouse, cell_id: fail_cell(warehouse, cell_id, "why"),
        lambda warehouse, cell_id: finish_cell(warehouse, cell_id, OUTCOME),
    ],
)
def test_an_unknown_cell_is_named(warehouse, use):
    with pytest.raises(InputError, match="cell nonesuch: not in the warehouse"):
        use(warehouse, "nonesuch")


def _log(cell_id: str, steps: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell_id": cell_id,
            "step": range(1, steps + 1),
            "epoch": 0.5,
            "loss": [2.5] * (steps - 1) + [math.nan],
            "learning_rate": 2e-4,
            "grad_norm": 0.3,
            "examples_per_second": 37.0,
            "logged_at": datetime(2024, 6, 24, 12, tzinfo=UTC),
        }
    )


def test_steps_that_are_logged_again_replace_those_before_and_others_stay(warehouse):
    save_training_log(warehouse, _log("tuned", 3), whole=False)
    save_training_log(warehouse, _log("tuned", 2).assign(loss=1.5), whole=False)
    rows = ask(warehouse, "SELECT step, loss FROM training_log ORDER BY ALL")
    assert rows == [(1, 1.5), (2, 1.5), (3, None)]


def test_a_training_log_replaces_the_one_before(warehouse):
    save_training_log(warehouse, _log("tuned", 3), whole=True)
    save_training_log(warehouse, _log("other", 2), whole=True)
    save_training_log(warehouse, _log("tuned", 2), whole=True)
    rows = ask(warehouse, "SELECT cell_id, step, loss, logged_at FROM training_log ORDER BY ALL")
    noon = datetime(2024, 6, 24, 12)  # noqa: DTZ001
    assert rows == [
        ("other", 1, 2.5, noon),
        ("other", 2, None, noon),
        ("tuned", 1, 2.5, noon),
        ("tuned", 2, None, noon),
    ]


def test_a_late_failure_does_not_overwrite_what_another_process_finished(finished):
    before = ask(finished, "FROM cells WHERE cell_id = 'tuned'")
    fail_cell(finished, "tuned", "No objects to concatenate")
    assert ask(finished, "FROM cells WHERE cell_id = 'tuned'") == before
    fail_cell(finished, "tuned", "its adapter is gone", even_if_done=True)
    assert ask(finished, "SELECT status, reason FROM cells WHERE cell_id = 'tuned'") == [
        ("failed", "its adapter is gone")
    ]


def test_a_cell_of_an_older_version_gets_its_kind_and_training_when_its_study_runs_again(finished, cell):
    of_cell = "SELECT kind_of_model, training_id, status FROM cells WHERE cell_id = 'tuned'"
    assert ask(finished, of_cell) == [(None, None, "finished")]
    add_cells(finished, "study", [cell(kind_of_model="causal", training_id="0123")])
    assert ask(finished, of_cell) == [("causal", "0123", "finished")]

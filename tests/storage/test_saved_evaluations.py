"""Evaluations and predictions come back as they were saved."""

import duckdb
import pandas as pd
import pytest

from schemas.promotion import Champion
from storage.cell_progress import start_cell
from storage.cells import CellOutcome, add_cells, load_cell
from storage.champions import Decision, save_decision
from storage.evaluations import (
    forget_evaluations,
    load_best,
    load_evaluated,
    load_leaderboard,
    load_test_figures,
    save_evaluations,
)
from storage.query import query
from storage.studies import save_study
from tests.asking import ask
from tests.storage.replacing import replace_evaluations


def test_what_is_evaluated_is_known_by_cell(finished):
    assert load_evaluated(finished, "tuned") == {"tuned at 0.1", "tuned at 1", "tuned at 10"}
    assert load_evaluated(finished, "svm") == {"svm at None"}
    assert load_evaluated(finished, "nonesuch") == set()


def test_evaluating_finishes_a_cell_that_is_not_trained_in_the_same_transaction(data, study, cell, evaluation, predict):
    save_study(data, study())
    unvaried = {"learning_rate": None, "epochs": None, "seed": None}
    cells = [cell(), cell(cell_id="base", kind="base", **unvaried), cell(cell_id="svm", kind="baseline", **unvaried)]
    add_cells(data, "study", cells)
    for record in cells:
        start_cell(data, record.cell_id)
    evaluations = [evaluation("tuned", 1), evaluation("base", 1), evaluation("svm", None)]
    save_evaluations(data, evaluations, pd.concat([predict(each.evaluation_id) for each in evaluations]))
    finished = {record.cell_id: load_cell(data, record.cell_id) for record in cells}
    assert {cell_id: stored.status for cell_id, stored in finished.items()} == {
        "tuned": "running",
        "base": "finished",
        "svm": "finished",
    }
    assert finished["base"].outcome == CellOutcome()


def test_evaluation_and_predictions_are_saved_together_or_not_at_all(finished, evaluation, predict):
    forget_evaluations(finished, "tuned")
    twice = pd.concat([predict("tuned at 1"), predict("tuned at 1")])
    with pytest.raises(duckdb.ConstraintException):
        save_evaluations(finished, [evaluation("tuned", 1, accuracy=0.5)], twice)
    assert ask(finished, "SELECT * FROM evaluations WHERE cell_id = 'tuned'") == []
    assert ask(finished, "SELECT * FROM predictions WHERE cell_id = 'tuned'") == []


def test_the_figures_of_a_champion_are_those_that_it_was_promoted_by(finished, evaluation, predict):
    def find() -> str:
        return load_test_figures(finished, "tuned", 1)["evaluation_id"]

    def add(name: str) -> None:
        save_evaluations(finished, [evaluation("tuned", 1, evaluation_id=name, decoding_id=name)], predict(name))

    add("one")
    assert find() == "one"
    save_decision(finished, Decision("promoted", "person", "good", "study", "tuned", 1), None)
    add("two")
    assert find() == "one"
    by_gate = Decision("promoted", "gate", "good", "study", "tuned", 1, evaluation_id="tuned at 1")
    save_decision(finished, by_gate, Champion("tuned", 1))
    assert find() == "tuned at 1"
    assert load_test_figures(finished, "tuned", 1, as_promoted=False)["evaluation_id"] == "two"
    assert load_test_figures(finished, "tuned", 2) is None


def test_a_baseline_may_have_no_probabilities(finished, evaluation, predict):
    replace_evaluations(finished, [evaluation("svm", None, unparsed_rate=None)], predict("svm at None", p=None))
    rows = query(finished, "SELECT DISTINCT temperature, p_positive, p_unparsed FROM predictions WHERE cell_id = 'svm'")
    assert rows.rows == [(None, None, None)]


def test_the_leaderboard_goes_from_base_to_fine_tuned(finished):
    rows = load_leaderboard(finished, "study")
    assert [(row["kind"], row["temperature"]) for row in rows] == [
        ("base", 0.1),
        ("base", 1),
        ("base", 10),
        ("baseline", None),
        ("fine-tuned", 0.1),
        ("fine-tuned", 1),
        ("fine-tuned", 10),
    ]


def test_training_a_cell_again_removes_its_evaluations(finished):
    forget_evaluations(finished, "tuned")
    assert load_evaluated(finished, "tuned") == set()
    assert ask(finished, "SELECT DISTINCT cell_id FROM predictions ORDER BY 1") == [("base",), ("svm",)]


def test_a_model_that_always_answers_the_commonest_label_is_not_chosen_for_it(finished, evaluation):
    """Two of the four headlines are negative; that answer is right on half of them, and on one label of three."""
    headlines = ask(finished, "SELECT headline_id FROM headlines ORDER BY 1 LIMIT 4")
    labels = ask(finished, "SELECT label FROM headlines ORDER BY headline_id LIMIT 4")
    assert labels.count(("negative",)) == 2
    always = pd.DataFrame({"headline_id": [headline for (headline,) in headlines], "predicted": "negative"}).assign(
        evaluation_id="tuned on validation", p_negative=1.0, p_neutral=0.0, p_positive=0.0, p_unparsed=0.0
    )
    record = evaluation("tuned", 0.1, evaluation_id="tuned on validation", part="validation")
    save_evaluations(finished, [record], always)
    chosen = load_best(finished, "study")
    assert (chosen.cell_id, chosen.temperature) == ("tuned", 0.1)
    [(accuracy,)] = ask(finished, "SELECT balanced_accuracy FROM model_selection WHERE choice = 1")
    assert accuracy == pytest.approx(1 / 3)


def test_a_late_save_does_not_overwrite_what_another_process_saved(finished, evaluation, predict):
    before = [ask(finished, f"FROM {table} ORDER BY ALL") for table in ("leaderboard", "predictions")]
    again = [evaluation("svm", None, accuracy=0.1), evaluation("tuned", 1, accuracy=0.1)]
    late = pd.concat([predict(each.evaluation_id, "neutral") for each in again])
    save_evaluations(finished, again, late)
    after = [ask(finished, f"FROM {table} ORDER BY ALL") for table in ("leaderboard", "predictions")]
    assert [row[:10] for row in after[0]] == [row[:10] for row in before[0]]
    assert after[1] == before[1]

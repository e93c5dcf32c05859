"""Evaluations and predictions come back as they were saved."""

import duckdb
import pandas as pd
import pytest

from storage.evaluations import load_evaluated, load_leaderboard, save_evaluations
from storage.query import query


def test_what_is_evaluated_is_known_by_cell(finished):
    assert load_evaluated(finished, "tuned") == {"tuned at 0.1", "tuned at 1", "tuned at 10"}
    assert load_evaluated(finished, "svm") == {"svm at None"}
    assert load_evaluated(finished, "nonesuch") == set()


def test_a_second_evaluation_replaces_the_first(finished, evaluation, predict):
    save_evaluations(finished, [evaluation("tuned", 1, accuracy=0.5)], predict("tuned at 1", "neutral"))
    assert query(finished, "SELECT accuracy FROM evaluations WHERE evaluation_id = 'tuned at 1'").rows == [(0.5,)]
    of_cell = "SELECT temperature, predicted, count(*) FROM predictions WHERE cell_id = 'tuned' GROUP BY ALL ORDER BY 1"
    assert query(finished, of_cell).rows == [(0.1, "positive", 3), (1, "neutral", 3), (10, "positive", 3)]


def test_evaluation_and_predictions_are_saved_together_or_not_at_all(finished, evaluation, predict):
    twice = pd.concat([predict("tuned at 1"), predict("tuned at 1")])
    with pytest.raises(duckdb.ConstraintException):
        save_evaluations(finished, [evaluation("tuned", 1, accuracy=0.5)], twice)
    assert query(finished, "SELECT accuracy FROM evaluations WHERE evaluation_id = 'tuned at 1'").rows == [(0.83,)]
    assert query(finished, "SELECT count(*) FROM predictions WHERE cell_id = 'tuned'").rows == [(9,)]


def test_a_baseline_may_have_no_probabilities(finished, evaluation, predict):
    save_evaluations(finished, [evaluation("svm", None, unparsed_rate=None)], predict("svm at None", p=None))
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
    assert load_leaderboard(finished, "study", part="validation") == []

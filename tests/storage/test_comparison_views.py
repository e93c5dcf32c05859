"""What analysts see of two cells: corrected p-values, verdicts against baselines, and the headlines that flipped."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage.cells import add_cells
from storage.comparisons import save_comparisons
from storage.query import query
from storage.studies import save_study
from tests.asking import ask
from tests.storage.replacing import replace_evaluations

CONTRACT = {
    "comparisons": "study_id, part, temperature, cell_id, kind, model, learning_rate, epochs, seed, other_cell_id,"
    " other_kind, other_model, other_learning_rate, other_epochs, other_seed, n, accuracy, other_accuracy, difference,"
    " difference_low, difference_high, macro_f1_difference, macro_f1_difference_low, macro_f1_difference_high,"
    " only_right, only_other_right, p_value, p_holm, pairs, significant, is_mirrored, cell_name, other_cell_name",
    "baseline_verdicts": "study_id, part, temperature, cell_id, kind, model, learning_rate, epochs, seed,"
    " baseline_cell_id, baseline, n, accuracy, baseline_accuracy, difference, difference_low, difference_high,"
    " p_value, p_holm, pairs, beats_baseline, cell_name",
    "flips": "study_id, part, temperature, cell_id, other_cell_id, headline_id, text, label, predicted,"
    " other_predicted, right_cell_id, is_mirrored",
}


def compared(cell_id: str, other_cell_id: str, p_value: float, **changes: Any) -> dict[str, Any]:
    """A row of `ledger.comparisons`, as `save_comparisons` takes it."""
    row = {
        "temperature": 0.1,
        "cell_id": cell_id,
        "other_cell_id": other_cell_id,
        "n": 900,
        "accuracy": 0.8,
        "other_accuracy": 0.7,
        "difference": 0.1,
        "difference_low": 0.06,
        "difference_high": 0.15,
        "macro_f1_difference": 0.2,
        "macro_f1_difference_low": 0.1,
        "macro_f1_difference_high": 0.25,
        "only_right": 120,
        "only_other_right": 30,
        "p_value": p_value,
    }
    return row | changes


def save(warehouse: Path, *rows: dict[str, Any], study_id: str = "study", part: str = "test") -> None:
    save_comparisons(warehouse, study_id, part, pd.DataFrame(rows))


@pytest.mark.parametrize("name", CONTRACT)
def test_analysts_find_the_columns_of_the_contract(warehouse, name):
    assert ", ".join(query(warehouse, f"FROM {name}").columns) == CONTRACT[name]


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # 4 x .005, 3 x .01, 2 x .03, and .04 no less than that
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.9, 0.6], [1.0, 1.0]),
        ([0.04], [0.04]),
    ],
)
def test_holms_correction_is_that_of_worked_examples(finished, p_values, corrected):
    pairs = [("tuned", "base"), ("tuned", "svm"), ("base", "svm"), ("base", "tuned")]
    save(
        finished,
        *(
            compared(*pair, p_value, temperature=number)
            for number, (pair, p_value) in enumerate(zip(pairs, p_values, strict=False))
        ),
    )
    rows = ask(finished, "SELECT DISTINCT temperature, p_holm, pairs, significant FROM comparisons ORDER BY 1")
    assert [row[1] for row in rows] == pytest.approx(corrected)
    assert [row[2] for row in rows] == [len(p_values)] * len(p_values)
    assert [row[3] for row in rows] == [p < 0.05 for p in corrected]


def test_studies_and_parts_are_corrected_separately(finished, study, cell):
    save_study(finished, study(study_id="another"))
    add_cells(finished, "another", [cell(), cell(cell_id="base")])
    save(finished, compared("tuned", "base", 0.03), compared("tuned", "svm", 0.04))
    save(finished, compared("tuned", "base", 0.03), part="validation")
    save(finished, compared("tuned", "base", 0.03), study_id="another")
    sql = (
        "SELECT study_id, part, p_holm FROM comparisons WHERE cell_id = 'tuned' AND other_cell_id = 'base' ORDER BY ALL"
    )
    assert ask(finished, sql) == [
        ("another", "test", 0.03),
        ("study", "test", 0.06),
        ("study", "validation", 0.03),
    ]


def test_a_pair_is_shown_in_both_directions(finished):
    save(finished, compared("tuned", "svm", 0.001))
    columns = (
        "kind, other_kind, learning_rate, other_learning_rate, accuracy, other_accuracy, difference, difference_low,"
        " difference_high, macro_f1_difference, macro_f1_difference_low, macro_f1_difference_high, only_right,"
        " only_other_right, p_holm"
    )
    forth, back = (
        ask(finished, f"SELECT {columns} FROM comparisons WHERE cell_id = '{cell_id}'") for cell_id in ("tuned", "svm")
    )
    assert forth == [("fine-tuned", "baseline", 2e-4, None, 0.8, 0.7, 0.1, 0.06, 0.15, 0.2, 0.1, 0.25, 120, 30, 0.001)]
    assert back == [
        ("baseline", "fine-tuned", None, 2e-4, 0.7, 0.8, -0.1, -0.15, -0.06, -0.2, -0.25, -0.1, 30, 120, 0.001)
    ]


def test_no_difference_is_0_in_both_directions(finished):
    zeros = ("difference", "difference_low", "difference_high", "macro_f1_difference")
    save(finished, compared("tuned", "svm", 1.0, accuracy=0.7, **dict.fromkeys(zeros, 0.0)))
    found = ask(finished, f"SELECT {', '.join(f'{name}::VARCHAR' for name in zeros)} FROM comparisons")
    assert found == [("0.0",) * 4] * 2


@pytest.mark.parametrize(
    ("figures", "beats"),
    [
        ({}, True),
        ({"p_value": 0.06}, False),
        ({"difference_low": 0.0}, False),
        ({"difference": -0.1, "difference_low": -0.2, "difference_high": -0.05}, False),
    ],
)
def test_a_verdict_needs_both_interval_and_test(finished, figures, beats):
    save(finished, compared("tuned", "svm", **({"p_value": 0.01} | figures)))
    verdict = "SELECT baseline, baseline_accuracy, difference, beats_baseline FROM baseline_verdicts"
    difference = figures.get("difference", 0.1)
    assert ask(finished, verdict) == [("tfidf-svm", 0.7, difference, beats)]


def test_the_best_baseline_is_the_most_accurate_and_of_equals_the_first_by_name(finished, cell):
    names = {"majority": "majority class", "bayes": "bayes"}
    add_cells(finished, "study", [cell(cell_id=name, kind="baseline", model=model) for name, model in names.items()])
    save(
        finished,
        compared("tuned", "svm", 0.01, temperature=1),
        compared("majority", "tuned", 0.01, temperature=1, accuracy=0.75),
        compared("base", "svm", 0.01),
        compared("bayes", "base", 0.01, accuracy=0.7),
        compared("bayes", "svm", 0.01, temperature=None),
        compared("tuned", "base", 0.01),
    )
    rows = ask(finished, "SELECT kind, temperature, baseline_cell_id FROM baseline_verdicts ORDER BY ALL")
    assert rows == [("base", 0.1, "bayes"), ("fine-tuned", 1, "majority")]


def predict_each(evaluation_id: str, *labels: str) -> pd.DataFrame:
    headline_ids = [f"{number:016d}" for number in range(len(labels))]
    rows = {"evaluation_id": evaluation_id, "headline_id": headline_ids, "predicted": labels}
    return pd.DataFrame({**rows, **dict.fromkeys(("p_negative", "p_neutral", "p_positive", "p_unparsed"), 0.25)})


@pytest.fixture
def flipping(finished, evaluation):
    """Labels negative, neutral, positive: on the first only the tuned cell is right, on the second the baseline."""
    saved = [evaluation("tuned", 0.1), evaluation("svm", None)]
    predicted = [("negative", "positive", "positive"), ("neutral", "neutral", "positive")]
    frames = [predict_each(each.evaluation_id, *labels) for each, labels in zip(saved, predicted, strict=True)]
    replace_evaluations(finished, saved, pd.concat(frames))
    return finished


def test_flips_show_which_of_two_cells_is_right(flipping):
    sql = "SELECT text, label, predicted, other_predicted, right_cell_id FROM flips WHERE temperature = 0.1 AND"
    assert ask(flipping, f"{sql} cell_id = 'tuned' AND other_cell_id = 'svm' ORDER BY 1") == [
        ("Sales of firm 4 rose .", "neutral", "positive", "neutral", "svm"),
        ("Sales of firm 5 rose .", "negative", "negative", "neutral", "tuned"),
    ]
    assert ask(flipping, f"{sql} cell_id = 'svm' AND other_cell_id = 'tuned' ORDER BY 1") == [
        ("Sales of firm 4 rose .", "neutral", "neutral", "positive", "svm"),
        ("Sales of firm 5 rose .", "negative", "neutral", "negative", "tuned"),
    ]
    neither = f"{sql} cell_id = 'base' AND other_cell_id = 'svm' AND headline_id = '{0:016d}'"
    assert ask(flipping, neither) == [("Sales of firm 5 rose .", "negative", "positive", "neutral", None)]


def test_a_baseline_flips_against_each_temperature_and_a_baseline_at_none(flipping, cell, evaluation):
    add_cells(flipping, "study", [cell(cell_id="majority", kind="baseline", model="majority class")])
    majority = evaluation("majority", None)
    replace_evaluations(flipping, [majority], predict_each(majority.evaluation_id, *["positive"] * 3))
    sql = (
        "SELECT temperature, count(*) FROM flips WHERE cell_id = 'svm' AND other_cell_id = '{}' GROUP BY ALL ORDER BY 1"
    )
    assert ask(flipping, sql.format("base")) == [(0.1, 2), (1, 2), (10, 2)]
    assert ask(flipping, sql.format("majority")) == [(None, 2)]


def test_what_is_not_mirrored_counts_each_pair_and_each_flip_once(flipping):
    save(flipping, compared("tuned", "svm", 0.01), compared("svm", "base", 0.01))
    pairs = ask(flipping, "SELECT cell_id, other_cell_id FROM comparisons WHERE NOT is_mirrored ORDER BY ALL")
    assert pairs == [("svm", "base"), ("tuned", "svm")]
    of_both = "temperature = 0.1 AND least(cell_id, other_cell_id) = 'svm'"
    counted = f"SELECT is_mirrored, count(*), min(cell_id) FROM flips WHERE {of_both} GROUP BY ALL ORDER BY ALL"
    assert ask(flipping, counted) == [(False, 2, "tuned"), (True, 2, "svm")]


def test_a_study_sees_its_own_flips_only(flipping, study, cell):
    save_study(flipping, study(study_id="cold", temperatures=(0.1,)))
    add_cells(flipping, "cold", [cell(), cell(cell_id="svm", kind="baseline")])
    of_both = "cell_id = 'tuned' AND other_cell_id = 'svm'"
    sql = f"SELECT study_id, temperature, count(*) FROM flips WHERE {of_both} GROUP BY ALL ORDER BY ALL"
    assert ask(flipping, sql) == [("cold", 0.1, 2), ("study", 0.1, 2), ("study", 1, 2), ("study", 10, 2)]

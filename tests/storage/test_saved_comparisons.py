"""Comparisons come back as they were saved, and two cells are found side by side, in one study or in two."""

import pandas as pd
import pytest

from schemas.errors import InputError
from storage.cells import add_cells, find_cell
from storage.comparisons import (
    load_best_baseline,
    load_flips,
    load_match,
    load_pairings,
    load_runs,
    load_verdicts,
    save_comparisons,
)
from storage.evaluations import forget_evaluations, save_evaluations
from storage.splits import save_split
from storage.studies import save_study
from tests.asking import ask
from tests.storage.replacing import replace_evaluations

PROBABILITIES = dict.fromkeys(("p_negative", "p_neutral", "p_positive", "p_unparsed"), 0.25)
COUNT = "SELECT count(*) FROM ledger.comparisons"


def predictions(evaluation_id: str, predicted: dict[int, str]) -> pd.DataFrame:
    """What an evaluation predicts, by the number of the headline."""
    rows = {"headline_id": [f"{number:016d}" for number in predicted], "predicted": list(predicted.values())}
    return pd.DataFrame({"evaluation_id": evaluation_id, **rows, **PROBABILITIES})


def comparison(cell_id: str, other_cell_id: str, temperature: float | None) -> pd.DataFrame:
    intervals = {f"{name}{end}": 0.1 for name in ("difference", "macro_f1_difference") for end in ("", "_low", "_high")}
    counts = {"n": 3, "only_right": 2, "only_other_right": 1, "accuracy": 0.8, "other_accuracy": 0.7, "p_value": 0.01}
    cells = {"temperature": temperature, "cell_id": cell_id, "other_cell_id": other_cell_id}
    return pd.DataFrame([cells | intervals | counts])


@pytest.fixture
def another(finished, study, cell, evaluation):
    """A later study on another split, which shares two of the three test headlines; its cell is sampled differently."""
    parts = {"test": [f"{number:016d}" for number in (1, 2, 3)]}
    save_split(finished, "other split", "snapshot", parts, {"method": "hashed", "seed": 42})
    record = study(study_id="another", split_id="other split", decoding_id="top-1", temperatures=(0.1, 2))
    save_study(finished, record)
    add_cells(finished, "another", [cell(cell_id="renewed", split_id="other split")])
    saved = [evaluation("renewed", each, split_id="other split", decoding_id="top-1", n=3) for each in (0.1, 2)]
    frames = [predictions(each.evaluation_id, dict.fromkeys((1, 2, 3), "neutral")) for each in saved]
    replace_evaluations(finished, saved, pd.concat(frames))
    return finished


def test_runs_are_label_numbers_in_the_order_of_headlines_and_of_cells(finished):
    labels, runs = load_runs(finished, "study", "test")
    assert labels.tolist() == [0, 1, 2]
    assert list(runs) == [
        *(("tuned", temperature) for temperature in (0.1, 1, 10)),
        ("svm", None),
        *(("base", temperature) for temperature in (0.1, 1, 10)),
    ]
    assert {tuple(predicted.tolist()) for predicted in runs.values()} == {(2, 2, 2)}


def test_a_study_without_evaluations_has_no_runs(finished):
    labels, runs = load_runs(finished, "nobody", "test")
    assert (len(labels), runs) == (0, {})


def test_a_study_that_is_compared_again_has_one_set_of_comparisons(finished):
    save_comparisons(finished, "other", "test", comparison("a", "b", None))
    both = pd.concat([comparison("tuned", "base", 0.1), comparison("tuned", "svm", 0.1)])
    save_comparisons(finished, "study", "test", both)
    save_comparisons(finished, "study", "test", comparison("tuned", "svm", 1))
    rows = ask(finished, "SELECT study_id, other_cell_id, temperature FROM ledger.comparisons ORDER BY ALL")
    assert rows == [("other", "b", None), ("study", "svm", 1)]


def test_training_a_cell_again_removes_the_comparisons_of_its_studies(finished):
    save_comparisons(finished, "other", "test", comparison("a", "b", None))
    save_comparisons(finished, "study", "test", comparison("base", "svm", 1))
    forget_evaluations(finished, "tuned")
    assert ask(finished, "SELECT study_id FROM ledger.comparisons") == [("other",)]


def test_verdicts_are_loaded_by_temperature(finished):
    save_comparisons(finished, "study", "test", comparison("tuned", "svm", 0.1))
    [(temperature, verdict)] = load_verdicts(finished, "study", "tuned").items()
    assert (temperature, verdict.temperature, verdict.baseline, verdict.beats_baseline) == (0.1, 0.1, "tfidf-svm", True)
    assert verdict.difference == (0.1, 0.1, 0.1, 0.01, 0.01, 1)
    assert load_verdicts(finished, "study", "svm") == {}
    assert load_verdicts(finished, "study", "tuned", "validation") == {}


def test_the_best_baseline_is_that_of_the_study_and_the_headlines(finished, study, cell, evaluation, predict):
    assert load_best_baseline(finished, "study", "tuned at 0.1") == ("svm at None", "tfidf-svm")
    add_cells(
        finished, "study", [cell(cell_id=each, kind="baseline", model=each) for each in ("worse", "better", "fold")]
    )
    save_study(finished, study(study_id="later"))
    add_cells(finished, "later", [cell(cell_id="later", kind="baseline", model="later")])
    accuracies = {"worse": 0.1, "better": 0.9, "later": 1.0}
    saved = [evaluation(each, None, accuracy=accuracy) for each, accuracy in accuracies.items()]
    saved.append(evaluation("fold", None, accuracy=1.0, split_id="other split"))
    replace_evaluations(finished, saved, pd.concat([predict(each.evaluation_id) for each in saved]))
    assert load_best_baseline(finished, "study", "tuned at 0.1") == ("better at None", "better")
    assert load_best_baseline(finished, "nobody", "tuned at 0.1") is None


def test_two_cells_of_a_study_are_compared_at_each_temperature(finished):
    save_comparisons(finished, "study", "test", comparison("base", "tuned", 1))
    pairings = load_pairings(finished, "tuned", "base", "test")
    assert [(each.temperature, each.p_holm, each.pairs) for each in pairings] == [
        (0.1, None, None),
        (1, 0.01, 1),
        (10, None, None),
    ]
    for each in pairings:
        assert (each.study_id, each.other_study_id, each.is_sampled_alike) == ("study", "study", True)
        assert (each.n, each.other_n, each.labels.tolist(), each.predicted.tolist()) == (3, 3, [0, 1, 2], [2, 2, 2])


def test_two_baselines_are_compared_without_a_temperature(finished, cell, evaluation, predict):
    add_cells(finished, "study", [cell(cell_id="majority", kind="baseline", model="majority class")])
    replace_evaluations(finished, [evaluation("majority", None)], predict("majority at None"))
    save_comparisons(finished, "study", "test", comparison("majority", "svm", None))
    [pairing] = load_pairings(finished, "svm", "majority", "test")
    assert (pairing.temperature, pairing.p_holm) == (None, 0.01)


def test_cells_of_two_studies_are_compared_on_the_headlines_that_they_share(another):
    [pairing] = load_pairings(another, "tuned", "renewed", "test")
    assert (pairing.study_id, pairing.other_study_id, pairing.temperature) == ("study", "another", 0.1)
    assert (pairing.n, pairing.other_n, pairing.p_holm, pairing.is_sampled_alike) == (3, 3, None, False)
    assert pairing.labels.tolist() == [1, 2]
    assert (pairing.predicted.tolist(), pairing.other_predicted.tolist()) == ([2, 2], [1, 1])


def test_a_study_of_both_cells_is_preferred_and_most_of_all_one_that_compared_them(another, study, cell):
    save_study(another, study(study_id="later"))
    add_cells(another, "later", [cell()])
    assert load_pairings(another, "tuned", "base", "test")[0].study_id == "study"
    add_cells(another, "later", [cell(cell_id="base")])
    assert load_pairings(another, "tuned", "base", "test")[0].study_id == "later"
    save_comparisons(another, "study", "test", comparison("tuned", "base", 0.1))
    assert load_pairings(another, "tuned", "base", "test")[0].study_id == "study"


def test_for_cells_that_cannot_be_compared_the_error_says_what_is_missing(another, cell, evaluation):
    hot = evaluation("renewed", 2, evaluation_id="hot", part="validation", split_id="other split", decoding_id="top-1")
    cold = evaluation("tuned", 1, evaluation_id="cold", part="validation")
    replace_evaluations(
        another, [hot, cold], pd.concat([predictions("hot", {4: "neutral"}), predictions("cold", {5: "neutral"})])
    )
    with pytest.raises(InputError, match=r"no temperature in common, tuned has 1 and renewed has 2; run one with"):
        load_pairings(another, "tuned", "renewed", "validation")
    add_cells(another, "study", [cell(cell_id="untouched")])
    with pytest.raises(InputError, match="cell untouched: no evaluation on test yet; let `fintone run` finish"):
        load_pairings(another, "tuned", "untouched", "test")


def test_cells_that_share_no_headline_are_refused(another, evaluation):
    record = evaluation("renewed", 0.1, split_id="other split", decoding_id="top-1")
    replace_evaluations(another, [record], predictions(record.evaluation_id, {3: "neutral"}))
    with pytest.raises(InputError, match="cells tuned and renewed: their studies share no test headline; compare"):
        load_pairings(another, "tuned", "renewed", "test")


def test_flips_alternate_between_the_cell_that_is_right_and_those_on_which_neither_is(finished, evaluation):
    """The labels of headlines 0 to 5 are negative, neutral, positive, negative, neutral, positive."""
    right = ["negative", "neutral", "positive"] * 2
    predicted = [*right[:4], "neutral", "negative"]
    other_predicted = ["neutral", "positive", "negative", *right[3:5], "neutral"]
    saved = [evaluation("tuned", 0.1), evaluation("svm", None)]
    frames = [
        predictions(each.evaluation_id, dict(enumerate(labels)))
        for each, labels in zip(saved, (predicted, other_predicted), strict=True)
    ]
    replace_evaluations(finished, saved, pd.concat(frames))
    pairing = load_pairings(finished, "tuned", "svm", "test")[:1]
    [flips] = load_flips(finished, pairing, 10)
    assert [int(flip.headline_id) for flip in flips] == [0, 5, 1, 2]
    assert flips[1][1:] == ("Sales of firm 0 rose .", "positive", "negative", "neutral")
    assert load_flips(finished, pairing, 2) == [flips[:2]]
    assert load_flips(finished, pairing, 0) == [[]]


def test_a_cell_is_found_by_its_id_or_a_beginning_that_no_other_has(warehouse, cell):
    add_cells(warehouse, "study", [cell(cell_id=name) for name in ("abcd", "abcd1", "abcd22", "abce", "abc")])
    found = [find_cell(warehouse, text) for text in ("abcd", "abc", "abcd1", "abcd2", "abce")]
    assert [each.record.cell_id for each in found] == ["abcd", "abc", "abcd1", "abcd22", "abce"]


@pytest.mark.parametrize(
    ("beginning", "line"),
    [
        ("", "cell '': give a name, or the first 4 characters or more of an id"),
        ("3f9", "cell '3f9': give a name, or the first 4 characters or more of an id"),
        ("3f9a", "cell 3f9a: 4 things match: cell 3f9a1, cell 3f9a2, cell 3f9a3, cell 3f9a4; give"),
        ("3f9b", "cell 3f9b: not in the warehouse"),
        ("%%%%", "cell %%%%: not in the warehouse"),
    ],
)
def test_a_beginning_that_fits_no_cell_or_several_is_refused(warehouse, cell, beginning, line):
    add_cells(warehouse, "study", [cell(cell_id=f"3f9a{number}") for number in range(1, 5)])
    with pytest.raises(InputError, match=line):
        find_cell(warehouse, beginning)


def test_headlines_that_the_other_cell_was_trained_on_are_not_compared(finished, cell, evaluation, predict):
    save_split(finished, "other", "snapshot", {"train": ["0000000000000001"], "test": ["0000000000000000"]}, {})
    add_cells(finished, "study", [cell(cell_id="champion", split_id="other", seed=7)])
    elsewhere = evaluation("champion", 0.1, evaluation_id="elsewhere")
    save_evaluations(finished, [elsewhere], predict("elsewhere", "neutral"))
    labels, predicted, other_predicted = load_match(finished, "tuned at 0.1", "elsewhere")
    assert (labels.tolist(), predicted.tolist(), other_predicted.tolist()) == ([0, 2], [2, 2], [1, 1])
    assert [len(each) for each in load_match(finished, "elsewhere", "tuned at 0.1")] == [3, 3, 3]

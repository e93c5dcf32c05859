"""The views of metrics against scikit-learn and numpy, on random ledgers and at their edges."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from storage.cells import add_cells
from storage.draws import load_distributions, load_drawn, save_draws
from storage.studies import save_study
from storage.warehouse import reading, writing
from tests.asking import ask
from tests.storage.replacing import replace_evaluations

LABELS = ["negative", "neutral", "positive"]
EVALUATION = "study_id = 'study' AND cell_id = 'tuned' AND part = 'test' AND temperature = 1"


@pytest.fixture
def fill(warehouse, study, cell, evaluation):
    """Puts one evaluation into a warehouse: labels and outcomes as numbers (3 is unparsed), [N, 4] probabilities."""

    def put(labels, outcomes, probabilities=None):
        n = len(labels)
        columns = ["p_negative", "p_neutral", "p_positive", "p_unparsed"]
        p = pd.DataFrame(np.full((n, 4), np.nan) if probabilities is None else probabilities, columns=columns)
        ids = [f"{number:016d}" for number in range(n)]
        frame = p.assign(
            evaluation_id="tuned at 1",
            headline_id=ids,
            predicted=np.array([*LABELS, "neutral"])[outcomes],
            parsed=np.array(outcomes) < 3,
        ).replace({np.nan: None})
        headlines = pd.DataFrame({"headline_id": ids, "text": "x", "label": np.array(LABELS)[labels]})
        save_study(warehouse, study())
        add_cells(warehouse, "study", [cell()])
        with writing(warehouse) as connection:
            connection.register("new", headlines)
            connection.execute("INSERT INTO headlines BY NAME SELECT *, 'ingest' AS first_ingest_id FROM new")
        replace_evaluations(warehouse, [evaluation("tuned", 1, n=n)], frame)
        return warehouse

    return put


@pytest.fixture(params=[1, 2, 3])
def drawn(request):
    """900 random labels, outcomes and probabilities; the second model is very sure, the third knows no negative."""
    random = np.random.default_rng(request.param)
    labels = random.integers(1 if request.param == 3 else 0, 3, 900)
    concentration = {1: 1.0, 2: 0.05, 3: 0.5}[request.param]
    probabilities = random.dirichlet(np.array([1, 2, 1, 0.5]) * concentration, 900)
    outcomes = (random.random(900)[:, None] > probabilities.cumsum(1)).sum(1).clip(max=3)
    return labels, outcomes, probabilities


def folded(probabilities):
    """[N, 3] probabilities in which what is unparsed counts as neutral."""
    return np.stack([probabilities[:, 0], probabilities[:, 1] + probabilities[:, 3], probabilities[:, 2]], axis=1)


def select(warehouse, view, columns="*"):
    with reading(warehouse) as connection:
        answer = connection.execute(f"SELECT {columns} FROM {view} WHERE {EVALUATION}")
        return pd.DataFrame(answer.fetchall(), columns=[name for name, *_ in answer.description])


def test_confusions_are_those_of_scikit_learn(fill, drawn):
    labels, outcomes, probabilities = drawn
    found = select(fill(*drawn), "confusion")
    assert list(zip(found["label"], found["predicted"], strict=True)) == [(a, b) for a in LABELS for b in LABELS]
    matrix = confusion_matrix(labels, np.where(outcomes == 3, 1, outcomes), labels=[0, 1, 2])
    assert found["n"].tolist() == matrix.ravel().tolist()
    present = matrix.sum(1) > 0
    shares = found["share"].astype(float).to_numpy().reshape(3, 3)
    assert shares[present] == pytest.approx(matrix[present] / matrix[present].sum(1, keepdims=True))
    assert np.isnan(shares[~present]).all()
    expected = [folded(probabilities)[labels == label].sum(0) for label in range(3)]
    assert found["expected_n"].to_numpy() == pytest.approx(np.concatenate(expected))


def test_metrics_of_a_label_are_those_of_scikit_learn(fill, drawn):
    labels, outcomes, _ = drawn
    found = select(fill(*drawn), "class_metrics")
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, np.where(outcomes == 3, 1, outcomes), labels=[0, 1, 2], zero_division=0
    )
    assert found["label"].tolist() == LABELS
    assert found["support"].tolist() == support.tolist()
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert found[name].tolist() == pytest.approx(values.tolist())


def test_a_label_that_neither_occurs_nor_is_predicted_has_zeros(fill):
    found = select(fill([0, 0, 1], [0, 1, 1]), "class_metrics", "precision, recall, f1, support")
    assert found.iloc[2].tolist() == [0, 0, 0, 0]


def reliability(labels, probabilities):
    """Bins of confidence by numpy: number, n, mean confidence, accuracy."""
    answers = folded(probabilities)
    confidence, right = answers.max(1), answers.argmax(1) == labels
    bins = np.minimum(np.floor(confidence * 10), 9) + 1
    return [
        (int(number), (bins == number).sum(), confidence[bins == number].mean(), right[bins == number].mean())
        for number in np.unique(bins)
    ]


def surest_first(answers, labels):
    """Whether each answer is right, the surest first; of equally sure ones the share that is right."""
    _, group = np.unique(-answers.max(1), return_inverse=True)
    right = np.bincount(group, answers.argmax(1) == labels) / np.bincount(group)
    return right[np.sort(group)]


def test_reliability_bins_are_those_of_numpy(fill, drawn):
    labels, _, probabilities = drawn
    found = select(fill(*drawn), "calibration")
    expected = reliability(labels, probabilities)
    columns = found[["bin", "n", "mean_confidence", "accuracy"]].to_numpy()
    assert columns == pytest.approx(np.array(expected))
    assert found["gap"].tolist() == pytest.approx([confidence - right for _, _, confidence, right in expected])
    assert found["confidence_low"].tolist() == pytest.approx([(number - 1) / 10 for number, *_ in expected])
    assert found["confidence_high"].tolist() == pytest.approx([number / 10 for number, *_ in expected])


def test_scores_of_the_probabilities_are_those_of_numpy_and_scikit_learn(fill, drawn):
    labels, _, probabilities = drawn
    [found] = select(fill(*drawn), "calibration_summary").to_dict("records")
    gaps = [(n / 900, abs(confidence - right)) for _, n, confidence, right in reliability(labels, probabilities)]
    answers = folded(probabilities)
    assert found["n"] == 900
    assert found["expected_calibration_error"] == pytest.approx(sum(weight * gap for weight, gap in gaps))
    assert found["maximum_calibration_error"] == pytest.approx(max(gap for _, gap in gaps))
    assert found["brier_score"] == pytest.approx(((answers - np.eye(3)[labels]) ** 2).sum(1).mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # rows that sum to one up to rounding
        assert found["log_loss"] == pytest.approx(log_loss(labels, answers, labels=[0, 1, 2]), rel=1e-6)
    risks = 1 - surest_first(answers, labels).cumsum() / np.arange(1, 901)
    assert found["area_under_risk_coverage"] == pytest.approx(risks.mean())


def test_coverage_answers_the_surest_first(fill, drawn):
    labels, _, probabilities = drawn
    found = select(fill(*drawn), "coverage")
    answers = folded(probabilities)
    order = np.argsort(-answers.max(1), kind="stable")
    right = surest_first(answers, labels)
    numbers = [45 * step for step in range(1, 21)]
    assert found["coverage"].tolist() == pytest.approx([step / 20 for step in range(1, 21)])
    assert found["n"].tolist() == numbers
    assert found["threshold"].tolist() == pytest.approx([answers.max(1)[order[number - 1]] for number in numbers])
    assert found["accuracy"].tolist() == pytest.approx([right[:number].mean() for number in numbers])


def test_of_equally_sure_answers_every_order_counts_the_same(fill):
    sure = np.tile([1.0, 0.0, 0.0, 0.0], (30, 1))
    probabilities = np.concatenate([sure, np.tile([0.5, 0.25, 0.25, 0.0], (10, 1))])
    labels = np.array([0] * 24 + [2] * 6 + [0] * 5 + [2] * 5)
    warehouse = fill(labels, labels, probabilities)
    accuracy = [0.8] * 15 + [(24 + number / 2) / (30 + number) for number in range(2, 11, 2)]
    assert select(warehouse, "coverage")["accuracy"].tolist() == pytest.approx(accuracy)
    random, risks = np.random.default_rng(1), []
    for _ in range(4_000):  # the mean over orders that are drawn at random
        right = np.concatenate([random.permutation(labels[:30] == 0), random.permutation(labels[30:] == 0)])
        risks.append((1 - right.cumsum() / np.arange(1, 41)).mean())
    [[area]] = select(warehouse, "calibration_summary", "area_under_risk_coverage").to_numpy().tolist()
    assert area == pytest.approx(np.mean(risks), abs=5 * np.std(risks) / 4_000**0.5)


def test_certainty_falls_in_the_last_bin_and_an_impossible_truth_costs_no_infinity(fill):
    warehouse = fill([0, 1, 2], [0, 1, 1], np.eye(4)[[0, 3, 1]])
    found = select(warehouse, "calibration", "bin, confidence_low, confidence_high, n, mean_confidence, accuracy")
    assert found.to_numpy().tolist() == [[10, 0.9, 1.0, 3, 1.0, pytest.approx(2 / 3)]]
    [scores] = select(warehouse, "calibration_summary").to_dict("records")
    assert scores["brier_score"] == pytest.approx(2 / 3)
    assert scores["log_loss"] == pytest.approx(-np.log(np.finfo(np.float64).eps) / 3)


def test_one_headline_is_enough(fill):
    warehouse = fill([1], [3], np.array([[0.2, 0.3, 0.1, 0.4]]))
    assert select(warehouse, "calibration", "bin, n, accuracy").to_numpy().tolist() == [[8, 1, 1.0]]
    assert select(warehouse, "coverage", "n, accuracy").to_numpy().tolist() == [[1, 1.0]] * 20
    assert select(warehouse, "class_metrics", "f1")["f1"].tolist() == [0, 1, 0]
    assert select(warehouse, "calibration_summary", "area_under_risk_coverage").to_numpy().tolist() == [[0.0]]


def test_without_probabilities_there_are_confusions_but_no_calibration(fill):
    warehouse = fill([0, 1, 2], [0, 1, 1])
    assert select(warehouse, "confusion", "n")["n"].tolist() == [1, 0, 0, 0, 1, 0, 0, 1, 0]
    assert select(warehouse, "confusion", "expected_n")["expected_n"].tolist() == [None] * 9
    for view in ("calibration", "calibration_summary", "coverage"):
        assert select(warehouse, view).empty


def draw(number):
    return pd.DataFrame(
        {
            "evaluation_id": "tuned at 1",
            "draw": [number],
            "accuracy": 0.5,
            "macro_f1": 0.4,
            "strict_accuracy": 0.3,
            "unparsed_rate": 0.2,
        }
    )


def test_a_study_sees_as_many_draws_as_its_settings_have(finished, study, cell, evaluation, predict):
    save_study(finished, study(study_id="more", config={"decoding": {"draws": 2}}))
    add_cells(finished, "more", [cell()])
    replace_evaluations(finished, [evaluation("tuned", 1)], predict("tuned at 1"), draw(0))
    save_draws(finished, pd.concat([draw(1), draw(2)]))
    rows = ask(finished, "SELECT study_id, temperature, draw, macro_f1 FROM draws")
    assert rows == [("more", 1, 0, 0.4), ("more", 1, 1, 0.4), ("study", 1, 0, 0.4)]


def test_draws_are_added_to_evaluations_with_fewer(finished, evaluation, predict):
    replace_evaluations(finished, [evaluation("tuned", 1)], predict("tuned at 1"), draw(0))
    assert [each.temperature for each in load_drawn(finished, "tuned", 2)] == [0.1, 1, 10]
    assert load_drawn(finished, "tuned", 1) == load_drawn(finished, "svm", 5) == []
    save_draws(finished, draw(1))
    assert [each.temperature for each in load_drawn(finished, "tuned", 2)] == [0.1, 10]
    assert load_distributions(finished, "tuned at 1").columns.tolist() == [
        "headline_id",
        "label",
        "p_negative",
        "p_neutral",
        "p_positive",
        "p_unparsed",
    ]
    replace_evaluations(finished, [evaluation("tuned", 1)], predict("tuned at 1"), draw(0))
    assert ask(finished, "SELECT count(*) FROM draws") == [(1,)]

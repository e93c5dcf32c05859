"""Comparisons agree with scipy and worked tables, mirror when swapped, and find nothing between equal models."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import accuracy_score, f1_score

from learning.study.comparison import Comparison, compare, compare_all, mcnemar

Labels = NDArray[np.int64]
triples = st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=60)


def draw_models(n: int, accuracy: float, other_accuracy: float, seed: int = 1) -> tuple[Labels, Labels, Labels]:
    """Labels and two models: each is right on its share of the headlines and guesses the others."""
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=n)
    guess = random.integers(3, size=n)
    predicted, other = (np.where(random.random(n) < share, labels, guess) for share in (accuracy, other_accuracy))
    return labels, predicted, other


def macro_f1(labels: Labels, predicted: Labels) -> float:
    return float(f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0))


@pytest.mark.parametrize(
    ("only_right", "only_other_right", "p_value"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 0, 2 / 32),
        (0, 6, 2 / 64),
        (7, 7, 1.0),
        (10, 2, 2 * (1 + 12 + 66) / 4096),
        (8, 9, 1.0),
    ],
)
def test_mcnemar_is_twice_the_smaller_tail(only_right: int, only_other_right: int, p_value: float) -> None:
    assert mcnemar(only_right, only_other_right) == p_value


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test_of_scipy(only_right: int, only_other_right: int) -> None:
    n = only_right + only_other_right
    expected = binomtest(only_right, n).pvalue if n else 1.0
    assert mcnemar(only_right, only_other_right) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_takes_many_headlines_and_the_smallest_p() -> None:
    assert mcnemar(10_400, 10_000) == pytest.approx(binomtest(10_000, 20_400).pvalue, rel=1e-6)
    for fewer, more in ((0, 5_001), (2_400, 2_700), (2_550, 2_551), (20_000, 20_800)):
        n, ways = fewer + more, 1
        tail = 1 + sum(ways := ways * (n - hits) // (hits + 1) for hits in range(fewer))
        exact = min(1.0, tail / 2 ** (n - 1))
        assert mcnemar(more, fewer) == pytest.approx(exact, rel=1e-8, abs=0)
    assert mcnemar(5_000, 0) == 0.0


@settings(deadline=None)
@given(triples)
def test_figures_are_those_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    labels, predicted, other = np.array(rows).T
    compared = compare(labels, predicted, other)
    assert compared.n == len(rows)
    assert compared.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert compared.other_accuracy == pytest.approx(accuracy_score(labels, other))
    assert compared.difference == pytest.approx(compared.accuracy - compared.other_accuracy)
    assert compared.macro_f1_difference == pytest.approx(macro_f1(labels, predicted) - macro_f1(labels, other))
    assert compared.only_right == sum(first == label != second for label, first, second in rows)
    assert compared.only_other_right == sum(second == label != first for label, first, second in rows)
    assert compared.p_value == mcnemar(compared.only_right, compared.only_other_right)


@settings(deadline=None)
@given(triples)
def test_a_swapped_comparison_is_the_mirror_image(rows: list[tuple[int, int, int]]) -> None:
    labels, predicted, other = np.array(rows).T
    forth, back = compare(labels, predicted, other), compare(labels, other, predicted)
    assert (forth.n, forth.p_value) == (back.n, back.p_value)
    assert (forth.accuracy, forth.only_right) == (back.other_accuracy, back.only_other_right)
    for name in ("difference", "macro_f1_difference"):
        assert getattr(forth, name) == -getattr(back, name)
        low, high = getattr(forth, f"{name}_low"), getattr(forth, f"{name}_high")
        mirrored = getattr(back, f"{name}_low"), getattr(back, f"{name}_high")
        assert mirrored == ((None, None) if low is None else (pytest.approx(-high), pytest.approx(-low)))


@pytest.mark.parametrize(("accuracy", "other_accuracy"), [(0.9, 0.7), (0.6, 0.6), (0.2, 0.5)])
def test_with_many_headlines_intervals_are_those_of_scipys_paired_bootstrap(
    accuracy: float, other_accuracy: float
) -> None:
    labels, predicted, other = draw_models(900, accuracy, other_accuracy)
    compared = compare(labels, predicted, other)

    def right_more_often(labels: Labels, predicted: Labels, other: Labels, axis: int) -> Labels:
        return ((predicted == labels) * 1.0 - (other == labels)).mean(axis=axis)

    def macro_f1_more(labels: Labels, predicted: Labels, other: Labels) -> float:
        scores = []
        for model in (predicted, other):
            f1 = []
            for label in range(3):
                hits = ((labels == label) & (model == label)).sum()
                total = (labels == label).sum() + (model == label).sum()
                f1.append(2 * hits / total if total else 0.0)
            scores.append(np.mean(f1))
        return float(scores[0] - scores[1])

    for name, statistic, vectorized in (
        ("difference", right_more_often, True),
        ("macro_f1_difference", macro_f1_more, False),
    ):
        interval = bootstrap(
            (labels, predicted, other),
            statistic,
            paired=True,
            vectorized=vectorized,
            n_resamples=2_000,
            method="percentile",
            rng=np.random.default_rng(7),
        ).confidence_interval
        assert getattr(compared, f"{name}_low") == pytest.approx(interval.low, abs=0.012)
        assert getattr(compared, f"{name}_high") == pytest.approx(interval.high, abs=0.012)


def test_paired_answers_make_the_interval_narrow() -> None:
    labels, predicted, _ = draw_models(900, 0.8, 0.8)
    nearly = predicted.copy()
    nearly[:10] = (nearly[:10] + 1) % 3
    compared = compare(labels, predicted, nearly)
    assert compared.difference_high - compared.difference_low < 0.02


def test_a_model_does_not_differ_from_itself() -> None:
    labels, predicted, _ = draw_models(90, 0.7, 0.7)
    compared = compare(labels, predicted, predicted)
    unlike = [field.name for field in fields(Comparison) if "difference" in field.name or "right" in field.name]
    ends = [name for name in unlike if name.endswith(("_low", "_high"))]
    assert {getattr(compared, name) for name in unlike if name not in ends} == {0}
    assert {getattr(compared, name) for name in ends} == {None}
    assert compared.p_value == 1


@pytest.mark.parametrize("n", [1, 3])
def test_models_that_are_all_right_do_not_differ(n: int) -> None:
    labels = np.arange(n)
    compared = compare(labels, labels, labels)
    assert (compared.accuracy, compared.difference_low, compared.difference_high, compared.p_value) == (
        1,
        None,
        None,
        1,
    )


def test_one_headline_proves_nothing() -> None:
    compared = compare(np.array([2]), np.array([2]), np.array([0]))
    assert (compared.difference, compared.only_right, compared.p_value) == (1, 1, 1)


def test_every_pair_of_cells_is_compared_once_at_each_shared_temperature() -> None:
    labels, predicted, other = draw_models(60, 0.8, 0.6)
    runs = {
        ("tuned", 0.1): predicted,
        ("tuned", 1.0): other,
        ("base", 0.1): other,
        ("base", 10.0): other,
        ("svm", None): predicted,
        ("majority", None): np.zeros_like(labels),
    }
    pairs = [(run, rival) for run, rival, _ in compare_all(labels, runs)]
    sampled = [("tuned", 0.1), ("tuned", 1.0), ("base", 0.1), ("base", 10.0)]
    assert pairs == [
        (("tuned", 0.1), ("base", 0.1)),
        *((run, (name, None)) for run in sampled for name in ("svm", "majority")),
        (("svm", None), ("majority", None)),
    ]


def test_a_comparison_does_not_depend_on_the_other_pairs() -> None:
    labels, predicted, other = draw_models(300, 0.8, 0.6)
    runs = {("a", 1.0): predicted, ("b", 1.0): other, ("c", None): np.zeros_like(labels)}
    for run, rival, compared in compare_all(labels, runs):
        assert compared == compare(labels, runs[run], runs[rival])

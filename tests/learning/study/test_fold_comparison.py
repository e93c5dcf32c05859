"""Differences between models of folds: never surer than those of headlines, nor than Student's test by fold."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import t, ttest_rel

from learning.study.comparison import Comparison, compare, compare_all
from learning.study.confusion import count_confusion, macro_f1
from learning.study.fold_bootstrap import draw_resamples, find_spread

Labels = NDArray[np.int64]
rows_of_folds = st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=6, max_size=60)
DIFFERENCES = ("difference", "macro_f1_difference")


def answer_folds(mistakes: list[int], size: int) -> tuple[Labels, Labels]:
    """Labels, and the answers of a model with this many mistakes in each fold of `size` headlines."""
    labels = np.arange(len(mistakes) * size) % 3
    wrong = np.concatenate([np.arange(size) < each for each in mistakes])
    return labels, np.where(wrong, (labels + 1) % 3, labels)


def draw_folds_of(random: np.random.Generator, folds: Labels, spread: float) -> tuple[Labels, Labels]:
    """Labels, and the answers of a recipe with accuracy .8 whose models differ by this standard deviation."""
    labels = np.arange(len(folds)) % 3
    share = np.clip(random.normal(0.8, spread, folds.max() + 1), 0, 1)[folds]
    return labels, np.where(random.random(len(folds)) < share, labels, (labels + 1) % 3)


def test_three_folds_that_disagree_are_no_proof() -> None:
    """By fold, A is better by .163, -.003 and .22: a paired t test has p = .2."""
    labels, predicted = answer_folds([0, 1, 0], 300)
    _, other = answer_folds([49, 0, 66], 300)
    folds = np.repeat(np.arange(3), 300)
    plain, compared = compare(labels, predicted, other), compare(labels, predicted, other, folds)
    by_fold = [[(each == labels)[folds == fold].mean() for fold in range(3)] for each in (predicted, other)]
    student = ttest_rel(*by_fold)
    assert (plain.p_value < 1e-6, plain.difference_low > 0.1) == (True, True)
    low, high = student.confidence_interval()
    assert compared.difference_low == pytest.approx(low, abs=0.01)
    assert compared.difference_high == pytest.approx(high, abs=0.01)
    assert compared.p_value == pytest.approx(student.pvalue, abs=0.01)
    assert compared.difference_low < 0 < compared.difference_high
    assert asdict(compared) == asdict(plain) | {
        name: value for name, value in asdict(compared).items() if name.endswith(("_low", "_high", "p_value"))
    }


def test_folds_that_agree_leave_a_comparison_as_it_is() -> None:
    labels, predicted = answer_folds([3] * 10, 60)
    _, other = answer_folds([9] * 10, 60)
    assert compare(labels, predicted, other, np.repeat(np.arange(10), 60)) == compare(labels, predicted, other)


def test_intervals_are_students_with_the_error_of_resampled_folds() -> None:
    random, folds = np.random.default_rng(4), np.repeat(np.arange(4), [30, 60, 90, 45])
    (labels, predicted), (_, other) = (draw_folds_of(random, folds, 0.15) for _ in range(2))
    plain, compared = compare(labels, predicted, other), compare(labels, predicted, other, folds)
    rows = [
        np.concatenate([np.flatnonzero(folds == fold) for fold in np.repeat(np.arange(4), times)])
        for times in draw_resamples(4)
    ]

    def score(answers: Labels) -> NDArray[np.float64]:
        counts = [count_confusion(labels[each], answers[each]) for each in rows]
        return np.array([(np.trace(each) / each.sum(), macro_f1(each)) for each in counts])

    errors = math.sqrt(4 / 3) * (score(predicted) - score(other)).std(axis=0)
    for name, error in zip(DIFFERENCES, errors, strict=True):
        value, width = getattr(plain, name), t(3).ppf(0.975) * error
        assert getattr(compared, f"{name}_low") == pytest.approx(value - width), name
        assert getattr(compared, f"{name}_high") == pytest.approx(value + width), name
    p_value = 2 * t(3).sf(abs(plain.difference) / errors[0])
    assert compared.p_value == pytest.approx(max(plain.p_value, p_value))


@settings(deadline=None)
@given(rows_of_folds, st.integers(2, 5))
def test_a_comparison_by_fold_is_never_surer_and_swapped_it_is_the_mirror_image(
    rows: list[tuple[int, int, int]], k: int
) -> None:
    labels, predicted, other = np.array(rows * 8).T
    folds = np.arange(len(labels)) * k // len(labels)
    plain, forth = compare(labels, predicted, other), compare(labels, predicted, other, folds)
    back = compare(labels, other, predicted, folds)
    assert plain.p_value <= forth.p_value <= 1
    assert forth.p_value == back.p_value
    for name in DIFFERENCES:
        low, high = getattr(forth, f"{name}_low"), getattr(forth, f"{name}_high")
        plain_low, plain_high = getattr(plain, f"{name}_low"), getattr(plain, f"{name}_high")
        if low is None:
            assert (plain_low, plain_high, high) == (None, None, None)
            continue
        assert low <= plain_low
        assert high >= plain_high
        assert (getattr(back, f"{name}_low"), getattr(back, f"{name}_high")) == pytest.approx((-high, -low))


def test_models_that_are_opposite_in_two_folds_differ_by_anything() -> None:
    labels, predicted = answer_folds([0, 60], 60)
    _, other = answer_folds([60, 0], 60)
    compared = compare(labels, predicted, other, np.repeat([0, 1], 60))
    assert (compared.difference_low, compared.difference_high, compared.p_value) == (-1, 1, 1)
    assert (compared.macro_f1_difference_low, compared.macro_f1_difference_high) == (-1, 1)


@pytest.mark.parametrize(("folds", "spread"), [(3, 0.0), (3, 0.08), (5, 0.08), (10, 0.08)])
def test_recipes_that_do_not_differ_are_told_apart_in_5_of_100_studies_at_most(folds: int, spread: float) -> None:
    random, of = np.random.default_rng(folds), np.repeat(np.arange(folds), 60)
    held = beaten = beaten_by_headline = 0
    for _ in range(150):
        (labels, predicted), (_, other) = (draw_folds_of(random, of, spread) for _ in range(2))
        compared: Comparison = compare(labels, predicted, other, of)
        held += compared.difference_low <= 0 <= compared.difference_high
        beaten += compared.p_value < 0.05
        beaten_by_headline += compare(labels, predicted, other).p_value < 0.05
    assert held >= 136  # 142.5 expected at least; fewer than 136 of 150 happen in 1 % of the runs at 95 %
    assert beaten <= 14
    assert beaten <= beaten_by_headline


def test_all_pairs_are_compared_by_fold_but_those_of_models_that_answer_all_folds() -> None:
    random, folds = np.random.default_rng(1), np.repeat(np.arange(3), 60)
    labels, _ = draw_folds_of(random, folds, 0.1)
    runs = {(name, 1.0): draw_folds_of(random, folds, 0.1)[1] for name in ("base", "other base", "tuned")}
    compared = compare_all(labels, runs, folds, {"base", "other base"})
    assert [(run[0], other[0]) for run, other, _ in compared] == [
        ("base", "other base"),
        ("base", "tuned"),
        ("other base", "tuned"),
    ]
    for run, other, each in compared:
        of_pair = [folds] if other[0] == "tuned" else []
        assert each == compare(labels, runs[run], runs[other], *of_pair)


def test_errors_of_two_divisions_are_added_and_the_fewer_folds_count() -> None:
    thirds, fifths = (np.random.default_rng(k).normal(size=500) for k in (3, 5))
    spread = find_spread((thirds, 3), (fifths, 5))
    assert spread.error == pytest.approx(math.sqrt(thirds.var() * 3 / 2 + fifths.var() * 5 / 4))
    assert spread.freedom == 2


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.08])
@pytest.mark.parametrize("k", [(3, 4), (5, 5), (10, 5)])
def test_so_are_recipes_that_were_trained_on_different_folds(k: tuple[int, int], spread: float) -> None:
    random = np.random.default_rng(7)
    held = beaten = 0
    for _ in range(100):
        divisions = [random.permutation(np.arange(300) % each) for each in k]
        (labels, predicted), (_, other) = (draw_folds_of(random, of, spread) for of in divisions)
        compared: Comparison = compare(labels, predicted, other, *divisions)
        held += compared.difference_low <= 0 <= compared.difference_high
        beaten += compared.p_value < 0.05
    assert held >= 90  # fewer than 90 of 100 happen in 3 % of the runs at 95 %
    assert beaten <= 10

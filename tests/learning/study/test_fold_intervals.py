"""Intervals of pooled folds: never narrower than those of the headlines, and wider if models differ by fold."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t

from learning.study.confusion import count_confusion, f1_scores, macro_f1
from learning.study.fold_bootstrap import draw_resamples, resample
from learning.study.fold_intervals import widen
from learning.study.metrics import Metrics, measure

SIZE = 60


def pool(shares: NDArray[np.float64], random: np.random.Generator) -> tuple[Metrics, Metrics]:
    """Figures of folds of `SIZE` headlines that are right with these probabilities: by headlines, and by folds."""
    folds = np.repeat(np.arange(len(shares)), SIZE)
    labels = random.integers(3, size=len(folds))
    outcomes = np.where(random.random(len(folds)) < shares[folds], labels, (labels + 1) % 3)
    plain = measure(labels, outcomes, None)
    return plain, widen(plain, labels, outcomes, None, folds)


@pytest.mark.parametrize("folds", [2, 5, 10])
@pytest.mark.parametrize("spread", [0.0, 0.08])
def test_an_interval_holds_the_accuracy_of_the_recipe_in_95_of_100_studies(folds: int, spread: float) -> None:
    random, mean, held, of_headlines = np.random.default_rng(folds), 0.8, 0, 0
    for _ in range(200):
        plain, wide = pool(np.clip(random.normal(mean, spread, folds), 0, 1), random)
        held += wide.accuracy_low <= mean <= wide.accuracy_high
        of_headlines += plain.accuracy_low <= mean <= plain.accuracy_high
    assert held >= 184  # 190 expected at least; fewer than 184 of 200 happen in 1 % of the runs at 95 %
    assert held >= of_headlines


def test_no_interval_is_narrower_than_that_of_the_headlines() -> None:
    plain, wide = pool(np.full(5, 0.8), np.random.default_rng(1))
    for name in ("accuracy", "macro_f1", "expected_accuracy"):
        assert getattr(wide, name) == getattr(plain, name)
        assert 0 <= getattr(wide, f"{name}_low") <= getattr(plain, f"{name}_low")
        assert 1 >= getattr(wide, f"{name}_high") >= getattr(plain, f"{name}_high")


def test_models_that_differ_by_fold_widen_every_interval() -> None:
    plain, wide = pool(np.array([0.5, 0.7, 0.8, 0.9, 1.0]), np.random.default_rng(1))
    assert wide.accuracy_high - wide.accuracy_low > 2 * (plain.accuracy_high - plain.accuracy_low)
    assert wide.macro_f1_low is not None
    assert plain.macro_f1_low is not None
    assert wide.macro_f1_low < plain.macro_f1_low - 0.05


def test_an_interval_is_students_with_the_error_of_resampled_folds() -> None:
    random, folds = np.random.default_rng(4), np.repeat(np.arange(4), [30, 60, 90, 45])
    shares, labels = np.array([0.45, 0.6, 0.8, 0.7])[folds], random.integers(3, size=len(folds))
    outcomes = np.where(random.random(len(folds)) < shares, labels, (labels + 1) % 3)
    probabilities = np.hstack(
        [np.eye(3)[labels] * shares[:, None] ** 2, 1 - shares[:, None] ** 2]
    )  # the rest: unparsed
    plain = measure(labels, outcomes, probabilities)
    wide = widen(plain, labels, outcomes, probabilities, folds)
    rows = [
        np.concatenate([np.flatnonzero(folds == fold) for fold in np.repeat(np.arange(4), times)])
        for times in draw_resamples(4)
    ]
    of_label = shares**2 + (labels == 1) * (1 - shares**2)
    for name, figures in {
        "accuracy": [(outcomes == labels)[each].mean() for each in rows],
        "expected_accuracy": [of_label[each].mean() for each in rows],
        "macro_f1": [macro_f1(count_confusion(labels[each], outcomes[each])) for each in rows],
    }.items():
        value, width = getattr(plain, name), t(3).ppf(0.975) * math.sqrt(4 / 3) * np.std(figures)
        assert getattr(wide, f"{name}_low") == pytest.approx(value - width), name
        assert getattr(wide, f"{name}_high") == pytest.approx(min(value + width, 1)), name


def test_an_interval_stays_between_0_and_1() -> None:
    _, wide = pool(np.array([0.0, 1.0]), np.random.default_rng(1))
    assert (wide.accuracy_low, wide.accuracy_high) == (0, 1)


def test_resampled_macro_f1_is_that_of_each_resample() -> None:
    counts = np.random.default_rng(2).integers(1, 30, size=(4, 3, 3))
    drawn = draw_resamples(4)[:5]
    assert drawn.sum(axis=1).tolist() == [4] * 5
    resampled = np.tensordot(drawn, counts, axes=1)
    expected = [macro_f1(each) for each in resampled]
    assert f1_scores(resampled).mean(axis=1).tolist() == pytest.approx(expected)


def test_a_label_that_no_headline_has_does_not_count() -> None:
    labels = np.array([0, 1, 0, 1])
    assert set(resample(labels, labels, np.array([0, 0, 1, 1])).macro_f1) == {1.0}

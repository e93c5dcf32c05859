"""Intervals cover 95 % where a bootstrap fails, follow published formulas, and are absent where none could cover it."""

import math
import statistics
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, bootstrap, multinomial, t

from learning.study.confusion import count_confusion, macro_f1
from learning.study.intervals import (
    Z,
    accuracy_interval,
    macro_f1_influence,
    macro_f1_interval,
    mean_interval,
    paired_interval,
    paired_macro_f1_interval,
    wilson,
)
from schemas.comparison import LEAST_DISCORDANT, LEAST_OF_A_LABEL

SIZES, ACCURACIES = (30, 90, 300, 900), (0.5, 0.9, 0.97)
POINTS = list(product(SIZES, ACCURACIES))


@pytest.mark.parametrize(("n", "accuracy"), POINTS)
def test_the_interval_of_accuracy_covers_the_truth_in_95_of_100_samples(n: int, accuracy: float) -> None:
    intervals = [accuracy_interval(hits, n) for hits in range(n + 1)]
    covered = [hits for hits, (low, high) in enumerate(intervals) if low <= accuracy <= high]
    assert 0.93 <= binom.pmf(covered, n, accuracy).sum() <= 0.97


def test_where_all_are_right_the_interval_of_accuracy_is_the_exact_one_sided_one() -> None:
    low, high = accuracy_interval(30, 30)
    assert (low**30, high) == (pytest.approx(0.05), 1)
    assert accuracy_interval(0, 30) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("n", "accuracy"), [(30, 0.5), (30, 0.9), (90, 0.5), (90, 0.9), (90, 0.97), (300, 0.97)])
@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_tangos_interval_covers_a_difference_of_0(n: int, accuracy: float, correlation: float) -> None:
    # Two models of one accuracy; at n = 30 and .97 they seldom differ on enough headlines for an interval.
    only_one = accuracy * (1 - accuracy) * (1 - correlation)
    most = binom.ppf(1 - 1e-7, n, 2 * only_one)
    shown = covered = 0.0
    for discordant in range(LEAST_DISCORDANT, int(most) + 1):
        for only_right in range(discordant + 1):
            chance = multinomial.pmf(
                [only_right, discordant - only_right, n - discordant], n, [only_one, only_one, 1 - 2 * only_one]
            )
            if chance < 1e-9:
                continue
            interval = paired_interval(only_right, discordant - only_right, n)
            assert interval is not None
            shown += chance
            covered += chance * (interval[0] <= 0 <= interval[1])
    assert 0.93 <= covered / shown <= 0.97


@pytest.mark.parametrize(("only_right", "only_other_right", "n"), [(5, 0, 30), (12, 2, 50), (40, 31, 900), (9, 9, 20)])
def test_at_its_ends_the_constrained_score_is_the_normal_quantile(
    only_right: int, only_other_right: int, n: int
) -> None:
    interval = paired_interval(only_right, only_other_right, n)
    assert interval is not None
    for end, quantile in zip(interval, (Z, -Z), strict=True):

        def loss(share: float, end: float = end) -> float:
            same = 1 - 2 * share - end
            return -sum(
                count * math.log(max(chance, 1e-300))
                for count, chance in (
                    (only_right, share + end),
                    (only_other_right, share),
                    (n - only_right - only_other_right, same),
                )
            )

        bounds = max(0.0, -end) + 1e-12, (1 - end) / 2 - 1e-12
        share = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        variance = n * (2 * share + end - end**2)
        assert (only_right - only_other_right - n * end) / math.sqrt(variance) == pytest.approx(quantile, abs=1e-3)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 900))
def test_tangos_interval_holds_the_difference_and_mirrors(only_right: int, only_other_right: int, rest: int) -> None:
    n = only_right + only_other_right + rest
    if n == 0:
        return
    forth, back = paired_interval(only_right, only_other_right, n), paired_interval(only_other_right, only_right, n)
    if only_right + only_other_right < LEAST_DISCORDANT:
        assert (forth, back) == (None, None)
        return
    assert forth is not None
    assert back is not None
    assert -1 <= forth[0] <= (only_right - only_other_right) / n + 1e-9
    assert (only_right - only_other_right) / n - 1e-9 <= forth[1] <= 1
    assert back == pytest.approx((-forth[1], -forth[0]), abs=1e-9)


def draw_answers(n: int, accuracy: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(n) % 3
    wrong = (labels + random.integers(1, 3, n)) % 3
    return labels, np.where(random.random(n) < accuracy, labels, wrong)


@pytest.mark.parametrize(("n", "accuracy"), [(30, 0.97), (30, 0.9), (90, 0.97), (300, 0.97)])
def test_the_interval_of_macro_f1_covers_the_truth_where_a_bootstrap_does_not(n: int, accuracy: float) -> None:
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(1_000):
        interval = macro_f1_interval(count_confusion(*draw_answers(n, accuracy, random)))
        assert interval is not None
        covered += interval[0] <= accuracy <= interval[1]
    assert 0.92 <= covered / 1_000 <= 0.98


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
@pytest.mark.parametrize(("n", "accuracy"), [(30, 0.9), (30, 0.97), (90, 0.9)])
def test_the_interval_of_a_mean_of_probabilities_covers_it(n: int, accuracy: float, temperature: float) -> None:
    random, spread = np.random.default_rng(11), 3.0
    centre = spread * {0.9: 1.2816, 0.97: 1.8808}[accuracy]

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        return 1 / (1 + np.exp(-random.normal(centre, spread, shape) / temperature))

    truth = draw((2_000_000,)).mean()
    intervals = np.array([mean_interval(values) for values in draw((1_000, n))])
    assert 0.92 <= ((intervals[:, 0] <= truth) & (truth <= intervals[:, 1])).mean() <= 0.98


def test_a_bootstrap_of_few_mistakes_is_far_from_95() -> None:
    """Why the module exists: this is the interval that it replaced."""
    random, covered = np.random.default_rng(3), 0
    for _ in range(100):
        labels, predicted = draw_answers(30, 0.97, random)
        rows = np.arange(30)

        def figure(drawn: np.ndarray, labels: np.ndarray = labels, predicted: np.ndarray = predicted) -> float:
            return macro_f1(count_confusion(labels[drawn], predicted[drawn]))

        interval = bootstrap(
            (rows,), figure, n_resamples=200, vectorized=False, method="percentile", rng=random
        ).confidence_interval
        covered += interval.low <= 0.97 <= interval.high
    assert covered < 80


@pytest.mark.parametrize("classes", [(0, 1, 2), (0, 2), (1, 2)])
@given(st.lists(st.integers(0, 40), min_size=9, max_size=9))
def test_the_influence_of_macro_f1_is_its_derivative(classes: tuple[int, ...], counts: list[int]) -> None:
    confusion = np.zeros((3, 3))
    confusion[classes, :] = np.array(counts, dtype=float).reshape(3, 3)[classes, :] + 1
    n, influence, step = confusion.sum(), macro_f1_influence(confusion), 1e-6
    assert (confusion * influence).sum() == pytest.approx(0, abs=1e-9)
    for label, predicted in product(classes, range(3)):
        moved = confusion * (1 - step)
        moved[label, predicted] += step * n
        slope = (macro_f1(moved) - macro_f1(confusion)) / step
        assert slope == pytest.approx(influence[label, predicted], abs=1e-3)


def test_the_interval_of_macro_f1_covers_the_truth_of_two_classes_too() -> None:
    random, labels, covered = np.random.default_rng(7), np.arange(90) % 2 * 2, 0
    for _ in range(1_000):
        predicted = np.where(random.random(90) < 0.9, labels, 2 - labels)
        low, high = macro_f1_interval(count_confusion(labels, predicted)) or (1, 0)
        covered += low <= 0.9 <= high
    assert 0.92 <= covered / 1_000 <= 0.98


@pytest.mark.parametrize("counts", [[[10, 0, 0], [0, 50, 0], [0, 0, 50]], [[12, 0, 3], [0, 0, 0], [1, 2, 40]]])
def test_the_variance_of_macro_f1_is_that_with_one_more_headline_spread_over_the_labels_present(
    counts: list[list[int]],
) -> None:
    present = [label for label in range(3) if sum(counts[label])]
    more = np.array(counts, dtype=float)
    for label, predicted in product(present, range(3)):
        more[label, predicted] += 1 / (3 * len(present))
    slopes = np.zeros((3, 3))
    for label, predicted in product(present, range(3)):
        step = np.zeros((3, 3))
        step[label, predicted] = 1e-6
        slopes[label, predicted] = (macro_f1(more + step) - macro_f1(more - step)) / 2e-6 * more.sum()
    mean = macro_f1(more)
    n = np.sum(counts) * mean * (1 - mean) / float((more / more.sum() * slopes**2).sum())
    assert macro_f1_interval(np.array(counts)) == pytest.approx(wilson(macro_f1(np.array(counts)), n), abs=1e-6)


def test_macro_f1_has_an_interval_from_ten_headlines_of_each_label_on() -> None:
    assert LEAST_OF_A_LABEL == 10
    assert macro_f1_interval(np.zeros((3, 3), dtype=np.int64)) is None
    assert macro_f1_interval(np.diag([9, 50, 50])) is None
    low, high = macro_f1_interval(np.diag([10, 50, 50])) or (0, 0)
    assert 0.9 < low < high == 1


def test_a_difference_of_macro_f1_has_an_interval_where_accuracies_and_labels_have_enough() -> None:
    labels = np.arange(90) % 3
    other = np.where(np.arange(90) < 12, (labels + 1) % 3, labels)
    difference = 1 - macro_f1(count_confusion(labels, other))
    low, high = paired_macro_f1_interval(difference, labels, labels, other) or (0, 0)
    assert 0 < low < difference < high < 0.3
    few = np.where(np.arange(90) < 2, (labels + 1) % 3, labels)
    assert paired_macro_f1_interval(0.04, labels, labels, few) is None
    assert paired_macro_f1_interval(0.1, labels[:29], labels[:29], other[:29]) is None
    assert paired_macro_f1_interval(0.1, labels[:30], labels[:30], other[:30]) is not None


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_the_interval_of_a_difference_of_macro_f1_covers_the_truth(shared: float) -> None:
    """With rare labels, where macro-F1 varies more than accuracy, and with models that fail on the same headlines."""
    random, sizes = np.random.default_rng(5), np.array([12, 150, 18])

    def draw_difference(labels: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        n, answers = len(labels), []
        is_shared, luck = random.random(n) < shared, random.random(n)
        for accuracy in (0.9, 0.75):
            wrong = (labels + random.integers(1, 3, n)) % 3
            answers.append(np.where(np.where(is_shared, luck, random.random(n)) < accuracy, labels, wrong))
        first, other = answers
        return macro_f1(count_confusion(labels, first)) - macro_f1(count_confusion(labels, other)), first, other

    truth, covered, labels = draw_difference(np.repeat([0, 1, 2], sizes * 10_000))[0], 0, np.repeat([0, 1, 2], sizes)
    for _ in range(600):
        difference, first, other = draw_difference(labels)
        low, high = paired_macro_f1_interval(difference, labels, first, other) or (1, 0)
        covered += low <= truth <= high
    assert 0.92 <= covered / 600 <= 0.97


def test_a_difference_of_macro_f1_has_an_interval_if_one_model_is_always_right_and_the_other_never() -> None:
    labels = np.arange(90) % 3
    low, high = paired_macro_f1_interval(1.0, labels, labels, (labels + 1) % 3) or (0, 0)
    assert 0.9 < low < high == 1


def test_for_right_and_wrong_answers_the_interval_of_the_mean_is_nearly_wilsons() -> None:
    values = np.repeat([1.0, 0.0], [780, 120])
    assert mean_interval(values) == pytest.approx(wilson(780 / 900, 900), abs=2e-4)


def test_few_distances_make_the_interval_of_the_mean_wider_as_its_docstring_says() -> None:
    values = np.array([1.0, 1.0, 0.9, 0.4])
    mean, misses = 0.825, 0.7**2 / (0.1**2 + 0.6**2)
    ratio = statistics.variance(values.tolist()) / (mean * (1 - mean))
    ratio += 3 / (misses + 3) * (1 - misses / 4) ** 3 * (1 - ratio)
    assert mean_interval(values) == pytest.approx(wilson(mean, 4 / ratio, t(3).ppf(0.975)), abs=1e-9)


@pytest.mark.parametrize(
    ("values", "hits"), [([0.7], 1), ([0.3], 0), ([1.0, 1.0, 1.0, 1.0], 4), ([0.0, 0.0, 0.0, 0.0], 0)]
)
def test_without_a_variance_the_mean_has_the_interval_of_right_and_wrong_answers(
    values: list[float], hits: int
) -> None:
    assert mean_interval(np.array(values)) == accuracy_interval(hits, len(values))


def test_the_mean_of_two_opposite_values_has_the_widest_interval_of_two() -> None:
    """Their sample variance is twice that of right and wrong answers, and counts as that at most."""
    assert mean_interval(np.array([0.0, 1.0])) == pytest.approx(wilson(0.5, 2, t(1).ppf(0.975)))

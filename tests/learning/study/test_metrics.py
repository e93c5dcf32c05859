"""Metrics are scikit-learn's, draws depend only on seed, id and temperature, and intervals contain their figure."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import bootstrap, chisquare
from sklearn.metrics import accuracy_score, f1_score

from learning.study.confusion import macro_f1
from learning.study.metrics import draw_outcomes, measure, measure_outcomes
from learning.study.unparsed import NEUTRAL, UNPARSED, parsed_labels

IDS = [f"{number:016x}" for number in range(20_000)]

answers = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=60)


def measure_sure(labels: NDArray[np.int64], outcomes: NDArray[np.int64]) -> Any:
    """Measure a model that is sure of each outcome."""
    return measure(labels, outcomes, np.eye(4)[outcomes])


def random_distributions(count: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).dirichlet([1.0, 2.0, 1.0, 0.5], size=count)


@settings(deadline=None)
@given(answers)
def test_accuracy_and_macro_f1_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, outcomes = np.array(pairs).T
    metrics = measure_sure(labels, outcomes)
    predicted = np.where(outcomes == UNPARSED, NEUTRAL, outcomes)
    assert metrics.n == len(pairs)
    assert metrics.accuracy == pytest.approx(accuracy_score(labels, predicted))
    f1 = f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
    assert metrics.macro_f1 == pytest.approx(f1)


@settings(deadline=None)
@given(answers)
def test_the_interval_of_accuracy_holds_it(pairs: list[tuple[int, int]]) -> None:
    labels, outcomes = np.array(pairs).T
    metrics = measure_sure(labels, outcomes)
    assert 0 <= metrics.accuracy_low <= metrics.accuracy + 1e-12
    assert metrics.accuracy - 1e-12 <= metrics.accuracy_high <= 1


@pytest.mark.parametrize("share_right", [0.0, 0.34, 0.6, 0.87, 1.0])
@pytest.mark.parametrize("n", [60, 900])
def test_the_interval_of_macro_f1_holds_it(n: int, share_right: float) -> None:
    random = np.random.default_rng(3)
    labels = np.arange(n) % 3
    outcomes = np.where(random.random(n) < share_right, labels, (labels + random.integers(1, 3, n)) % 3)
    metrics = measure_sure(labels, outcomes)
    assert 0 <= metrics.macro_f1_low <= metrics.macro_f1 <= metrics.macro_f1_high <= 1


def test_the_interval_of_macro_f1_is_as_wide_as_the_figure_spreads() -> None:
    random = np.random.default_rng(5)
    labels = np.arange(900) % 3

    def answer() -> NDArray[np.int64]:
        return np.where(random.random(900) < 0.8, labels, (labels + random.integers(1, 3, 900)) % 3)

    repeated = [measure_sure(labels, answer()) for _ in range(100)]
    spread = np.std([metrics.macro_f1 for metrics in repeated])
    width = np.mean([metrics.macro_f1_high - metrics.macro_f1_low for metrics in repeated])
    assert width == pytest.approx(2 * 1.96 * spread, rel=0.25)


def test_the_studys_best_accuracy_has_the_wilson_interval_of_900_headlines() -> None:
    labels = np.arange(900) % 3
    outcomes = np.where(np.arange(900) < 780, labels, (labels + 1) % 3)
    metrics = measure_sure(labels, outcomes)
    assert metrics.accuracy == pytest.approx(0.867, abs=5e-4)
    assert metrics.accuracy_low == pytest.approx(0.843, abs=5e-4)
    assert metrics.accuracy_high == pytest.approx(0.888, abs=1e-3)


def test_the_interval_follows_wilsons_formula() -> None:
    n, hits, z = 50, 41, 1.959963984540054
    share, centre = hits / n, (hits / n + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    labels = np.zeros(n, dtype=np.int64)
    metrics = measure_sure(labels, np.where(np.arange(n) < hits, 0, 2))
    assert (metrics.accuracy_low, metrics.accuracy_high) == pytest.approx((centre - half, centre + half))


def answers_right(share: float, n: int = 900) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels and outcomes, of which this share is right; the others are spread over the other labels."""
    random = np.random.default_rng(11)
    labels = np.arange(n) % 3
    return labels, np.where(np.arange(n) < share * n, labels, (labels + random.integers(1, 3, n)) % 3)


@pytest.mark.parametrize("share_right", [0.1, 0.34, 0.6, 0.87, 0.98])
def test_wilsons_interval_is_that_of_a_bootstrap_except_at_the_ends(share_right: float) -> None:
    labels, outcomes = answers_right(share_right)
    metrics = measure_sure(labels, outcomes)
    right = (outcomes == labels).astype(float)
    usual = bootstrap((right,), np.mean, vectorized=True, method="percentile", rng=np.random.default_rng(1))
    interval = (metrics.accuracy_low, metrics.accuracy_high)
    assert interval == pytest.approx(tuple(usual.confidence_interval), abs=0.005)


def test_if_all_answers_are_right_every_interval_has_a_width() -> None:
    metrics = measure_sure(*answers_right(1.0))
    assert metrics.accuracy_low == pytest.approx(0.05 ** (1 / 900))
    assert 0.99 < metrics.macro_f1_low < metrics.macro_f1_high == 1
    assert 0.99 < metrics.expected_accuracy_low < metrics.expected_accuracy_high == 1


def test_macro_f1_has_no_interval_where_a_label_is_scarce() -> None:
    labels = np.repeat([0, 1, 2], [9, 40, 40])
    metrics = measure_sure(labels, labels)
    assert (metrics.macro_f1, metrics.macro_f1_low, metrics.macro_f1_high) == (1, None, None)


@pytest.mark.parametrize("share_right", [0.34, 0.6, 0.87, 0.98])
def test_with_many_headlines_the_interval_of_macro_f1_is_that_of_scipys_bootstrap(share_right: float) -> None:
    labels, outcomes = answers_right(share_right)
    metrics = measure_sure(labels, outcomes)

    def figure(rows: NDArray[np.int64], axis: int) -> NDArray[np.float64]:
        cells = np.moveaxis(labels[rows] * 3 + outcomes[rows], axis, -1)
        counts = np.stack([(cells == cell).sum(-1) for cell in range(9)], axis=-1).reshape(-1, 3, 3)
        return np.array([macro_f1(each) for each in counts])

    rows = np.arange(900)
    usual = bootstrap(
        (rows,), figure, n_resamples=2_000, vectorized=True, method="percentile", rng=np.random.default_rng(1)
    )
    interval = (metrics.macro_f1_low, metrics.macro_f1_high)
    assert interval == pytest.approx(tuple(usual.confidence_interval), abs=0.005)


def test_the_interval_of_expected_accuracy_is_as_wide_as_it_spreads() -> None:
    def figures(seed: int) -> Any:
        probabilities, labels = random_distributions(900, seed), np.random.default_rng(seed + 1_000).integers(0, 3, 900)
        return measure(labels, probabilities.argmax(axis=1), probabilities)

    repeated = [figures(seed) for seed in range(100)]
    spread = np.std([metrics.expected_accuracy for metrics in repeated])
    width = np.mean([metrics.expected_accuracy_high - metrics.expected_accuracy_low for metrics in repeated])
    assert width == pytest.approx(2 * 1.96 * spread, rel=0.25)
    assert all(each.expected_accuracy_low < each.expected_accuracy < each.expected_accuracy_high for each in repeated)


def test_a_single_headline_has_figures_too() -> None:
    metrics = measure(np.array([1]), np.array([UNPARSED]), np.array([[0.1, 0.2, 0.3, 0.4]]))
    assert (metrics.accuracy, metrics.strict_accuracy) == (1, 0)
    assert metrics.expected_accuracy == pytest.approx(0.6)
    assert metrics.expected_accuracy_low < 0.1
    assert metrics.expected_accuracy_high == 1


def test_without_probabilities_the_expected_accuracy_is_the_accuracy() -> None:
    metrics = measure(*answers_right(0.8), None)
    assert metrics.expected_accuracy == metrics.accuracy == metrics.argmax_accuracy
    assert metrics.expected_accuracy_low == metrics.accuracy_low
    assert metrics.expected_accuracy_high == metrics.accuracy_high
    assert metrics.argmax_macro_f1 == metrics.macro_f1
    assert metrics.unparsed_rate == 0


def test_the_likeliest_output_has_figures_of_its_own() -> None:
    labels, argmax = answers_right(0.9)
    metrics = measure(labels, np.full(900, UNPARSED), np.full((900, 4), 0.25), argmax)
    assert metrics.argmax_accuracy == accuracy_score(labels, argmax)
    assert metrics.argmax_macro_f1 == pytest.approx(f1_score(labels, argmax, average="macro"))
    assert (metrics.accuracy, metrics.strict_accuracy, metrics.unparsed_rate) == (pytest.approx(1 / 3), 0, 1)


def test_one_label_for_all_scores_as_the_study_reports() -> None:
    labels = np.arange(900) % 3
    metrics = measure_sure(labels, np.full(900, 2))
    assert (metrics.accuracy, metrics.macro_f1) == (pytest.approx(1 / 3), pytest.approx(1 / 6))


def test_macro_f1_is_the_mean_of_three_scores() -> None:
    assert macro_f1(np.diag([5, 6, 7])) == 1
    assert macro_f1(np.zeros((3, 3), dtype=np.int64)) == 0
    assert macro_f1(np.array([[4, 1, 0], [2, 3, 0], [0, 1, 0]])) == pytest.approx((8 / 11 + 6 / 10) / 3)


def test_macro_f1_of_two_classes_is_the_mean_of_two_scores_and_the_third_answer_is_an_error() -> None:
    counts = np.array([[4, 1, 1], [0, 0, 0], [2, 1, 3]])
    labels = np.repeat([0, 2], 6)
    predicted = np.array([0, 0, 0, 0, 1, 2, 0, 0, 1, 2, 2, 2])
    expected = f1_score(labels, predicted, labels=[0, 2], average="macro")
    assert macro_f1(counts) == pytest.approx(expected) == pytest.approx((8 / 12 + 6 / 10) / 2)


def test_unparsed_output_counts_as_neutral_but_not_when_strict() -> None:
    labels, outcomes = np.array([0, 1, 1, 2]), np.array([0, UNPARSED, 1, UNPARSED])
    metrics = measure_sure(labels, outcomes)
    assert parsed_labels(outcomes).tolist() == [0, NEUTRAL, 1, NEUTRAL]
    assert (metrics.accuracy, metrics.strict_accuracy, metrics.unparsed_rate) == (0.75, 0.5, 0.5)


def test_expected_accuracy_counts_what_is_unparsed_as_neutral() -> None:
    probabilities = np.array([[0.5, 0.2, 0.2, 0.1], [0.5, 0.2, 0.2, 0.1], [0.5, 0.2, 0.2, 0.1]])
    metrics = measure(np.array([0, 1, 2]), np.array([0, 0, 0]), probabilities)
    assert metrics.expected_accuracy == pytest.approx((0.5 + 0.3 + 0.2) / 3)


def test_expected_accuracy_is_the_mean_over_draws() -> None:
    probabilities = random_distributions(40)
    labels = np.arange(40) % 3
    drawn = [measure(labels, draw_outcomes(probabilities, IDS[:40], 1.0, seed), probabilities) for seed in range(300)]
    mean = np.mean([metrics.accuracy for metrics in drawn])
    assert mean == pytest.approx(drawn[0].expected_accuracy, abs=4 * 0.5 / math.sqrt(40 * 300))


def test_the_mean_over_draws_comes_near_the_expected_accuracy() -> None:
    probabilities, labels = random_distributions(900), np.arange(900) % 3
    drawn = [draw_outcomes(probabilities, IDS[:900], 1.0, seed=42, draw=draw) for draw in range(100)]
    accuracies = [measure_outcomes(labels, outcomes).accuracy for outcomes in drawn]
    expected = measure(labels, drawn[0], probabilities).expected_accuracy
    assert np.mean(accuracies) == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(900 * 100))
    assert np.std(accuracies) > 0.005


def test_measuring_twice_gives_the_same_figures() -> None:
    labels, outcomes = np.arange(90) % 3, np.arange(90) % 4
    assert measure_sure(labels, outcomes) == measure_sure(labels, outcomes)


@given(st.permutations(range(12)))
def test_a_draw_does_not_depend_on_the_order(order: list[int]) -> None:
    probabilities, ids = random_distributions(12), IDS[:12]
    drawn = draw_outcomes(probabilities, ids, 1.0, seed=1)
    shuffled = draw_outcomes(probabilities[order], [ids[position] for position in order], 1.0, seed=1)
    assert shuffled.tolist() == drawn[order].tolist()


def test_a_draw_does_not_depend_on_the_other_headlines() -> None:
    probabilities = random_distributions(50)
    together = draw_outcomes(probabilities, IDS[:50], 1.0, seed=1)
    alone = [draw_outcomes(probabilities[[row]], [IDS[row]], 1.0, seed=1)[0] for row in range(50)]
    assert together.tolist() == alone


def test_the_first_draw_is_the_same_in_every_version() -> None:
    probabilities = np.tile([0.25, 0.25, 0.25, 0.25], (10, 1))
    first = [1, 3, 1, 1, 3, 1, 1, 2, 1, 3]
    assert draw_outcomes(probabilities, IDS[:10], 1.0, seed=42).tolist() == first
    assert draw_outcomes(probabilities, IDS[:10], 1.0, seed=42, draw=0).tolist() == first


@pytest.mark.parametrize("change", [{"seed": 2}, {"temperature": 0.1}, {"headline_ids": IDS[100:200]}, {"draw": 1}])
def test_seed_temperature_id_and_number_each_change_the_draws(change: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"headline_ids": IDS[:100], "temperature": 1.0, "seed": 1}
    probabilities = np.tile([0.25, 0.25, 0.25, 0.25], (100, 1))
    drawn, other = draw_outcomes(probabilities, **usual), draw_outcomes(probabilities, **usual | change)
    assert 0.1 < (drawn == other).mean() < 0.4


@pytest.mark.parametrize("probabilities", [[0.5, 0.2, 0.2, 0.1], [0.01, 0.01, 0.97, 0.01], [0.25, 0.25, 0.25, 0.25]])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_draws_follow_the_probabilities(probabilities: list[float], temperature: float) -> None:
    drawn = draw_outcomes(np.tile(probabilities, (len(IDS), 1)), IDS, temperature, seed=42)
    counts = np.bincount(drawn, minlength=4)
    assert chisquare(counts, np.array(probabilities) * len(IDS)).pvalue > 1e-3


@pytest.mark.parametrize("outcome", range(4))
def test_a_certain_outcome_is_always_drawn(outcome: int) -> None:
    drawn = draw_outcomes(np.tile(np.eye(4)[outcome], (1_000, 1)), IDS[:1_000], 1.0, seed=1)
    assert set(drawn.tolist()) == {outcome}


def test_an_impossible_outcome_is_never_drawn() -> None:
    probabilities = np.tile([0.0, 0.5, 0.0, 0.5 - 1e-9], (len(IDS), 1))
    assert set(draw_outcomes(probabilities, IDS, 1.0, seed=1).tolist()) == {1, 3}

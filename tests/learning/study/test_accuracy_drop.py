"""A drop of accuracy beyond noise: false alarms are rare, however often one looks, and a real drop is found soon.

Probabilities are exact, by the number of wrong answers so far.
"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from learning.study.accuracy_drop import LEVEL, STAKES, drop_p_value, has_dropped
from learning.study.intervals import accuracy_interval

WEEK = 40
"""Labelled headlines between two looks."""


def alarm_probability(accuracy: float, reference: float, headlines: int, every: int = WEEK) -> float:
    """The probability of an alarm within this many headlines, each right with a probability of `accuracy`."""
    wrong, alarmed = np.ones(1), 0.0  # how probable each number of wrong answers is, without an alarm so far
    for n in range(1, headlines + 1):
        wrong = np.append(wrong * accuracy, 0.0) + np.append(0.0, wrong * (1 - accuracy))
        if n % every == 0:
            bound = first_alarm(n, reference)
            alarmed += wrong[bound:].sum()
            wrong[bound:] = 0
    return alarmed


def first_alarm(n: int, reference: float) -> int:
    """The least number of wrong answers among n that is an alarm; n + 1 if none is."""
    low, high = 0, n + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if has_dropped(drop_p_value(n - middle, middle, reference)) else (middle + 1, high)
    return low


@pytest.mark.parametrize("reference", [0.34, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("every", [1, WEEK])
def test_three_years_of_looks_give_a_false_alarm_in_at_most_five_of_a_hundred_cases(
    reference: float, every: int
) -> None:
    headlines = 156 * WEEK if every == WEEK else 1_500
    at_reference, above = (alarm_probability(p, reference, headlines, every) for p in (reference, reference + 0.02))
    assert above < at_reference < LEVEL


@pytest.mark.slow
@pytest.mark.parametrize(("accuracy", "test_n"), [(0.8, 100), (0.8, 300), (0.9, 900)])
def test_the_noise_of_the_test_part_is_allowed_for(accuracy: float, test_n: int) -> None:
    """The reference is the lower end of the interval of a test part, which may be above the accuracy itself."""
    hits = [each for each in range(test_n + 1) if binom.pmf(each, test_n, accuracy) > 1e-4]
    alarms = [alarm_probability(accuracy, accuracy_interval(each, test_n)[0], 52 * WEEK) for each in hits]
    assert np.dot(binom.pmf(hits, test_n, accuracy), alarms) < LEVEL / 2


@pytest.mark.parametrize(("accuracy", "test_n"), [(0.82, 300), (0.82, 900), (0.95, 300), (0.6, 900)])
def test_a_drop_of_ten_points_is_found_within_a_few_hundred_headlines(accuracy: float, test_n: int) -> None:
    reference, _ = accuracy_interval(round(accuracy * test_n), test_n)
    assert alarm_probability(accuracy - 0.1, reference, 500) > 0.5
    assert alarm_probability(accuracy - 0.1, reference, 1_200) > 0.9


def test_a_few_wrong_answers_are_no_drop() -> None:
    assert not has_dropped(drop_p_value(0, 1, 0.8))
    assert drop_p_value(0, 0, 0.8) == drop_p_value(900, 100, 0.8) == 1
    assert first_alarm(40, 0.8) == 16
    assert [has_dropped(p_value) for p_value in (0.05, 0.0501)] == [True, False]
    assert 1 / drop_p_value(1, 2, 0.5) == pytest.approx(np.mean([(1 - f) * (1 + f) ** 2 for f in STAKES]))


@given(st.integers(0, 2_000), st.integers(0, 2_000), st.floats(0.01, 0.99))
def test_no_bet_is_better_than_fair_at_the_reference(right: int, wrong: int, reference: float) -> None:
    now, after_right, after_wrong = (drop_p_value(right + a, wrong + b, reference) for a, b in ((0, 0), (1, 0), (0, 1)))
    assume(1 > after_right > 0 and after_wrong > 0)
    assert reference / after_right + (1 - reference) / after_wrong == pytest.approx(1 / now)
    assert after_wrong < now < after_right


def test_a_million_wrong_answers_and_a_reference_of_0_have_a_p_value() -> None:
    assert drop_p_value(0, 1_000_000, 0.99) == 0
    assert drop_p_value(0, 1_000, 0.0) == 1

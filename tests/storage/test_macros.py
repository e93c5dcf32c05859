"""The formulas that SQL lacks have the published values, and rules that Python has too agree with those of Python."""

import duckdb
import numpy as np
import pytest
from scipy.stats import binomtest, chi2, t

from learning.study.intervals import mean_interval
from learning.study.unparsed import answer, is_unparsed, with_unparsed
from schemas.label import LABELS
from tests.asking import ask

NEWCOMBE = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6075, 1.0000)),
]
"""Newcombe 1998, table II, method 10: hits and number of each sample, and the interval of the difference."""


def compute(warehouse, expressions):
    [row] = ask(warehouse, f"SELECT {expressions}")
    return row


@pytest.mark.parametrize(("one", "other", "interval"), NEWCOMBE)
def test_the_interval_of_two_shares_is_the_published_one(warehouse, one, other, interval):
    (p, n), (q, m) = ((f"{hits} / {number}", number) for hits, number in (one, other))
    low = f"difference_low({p}, share_low({p}, {n}), {q}, 1 - share_low(1 - {q}, {m}))"
    high = f"-difference_low({q}, share_low({q}, {m}), {p}, 1 - share_low(1 - {p}, {n}))"
    assert compute(warehouse, f"{low}, {high}") == pytest.approx(interval, abs=6e-5)


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 30), (29, 30), (450, 900)])
def test_the_score_interval_is_scipys(warehouse, hits, n):
    interval = binomtest(hits, n).proportion_ci(0.95, "wilson")
    shown = compute(warehouse, f"share_low({hits / n}, {n}), 1 - share_low({1 - hits / n}, {n})")
    assert shown == pytest.approx((interval.low, interval.high), abs=1e-9)


@pytest.mark.parametrize("df", [20, 29, 29.7, 100, 1e6])
def test_students_quantile_is_scipys(warehouse, df):
    assert compute(warehouse, f"student_975({df})") == pytest.approx((t.ppf(0.975, df),), abs=1e-4)


@pytest.mark.parametrize("df", [1, 2, 3, 9, 40])
def test_the_quantile_of_chi_square_is_scipys(warehouse, df):
    assert compute(warehouse, f"chi_square_950({df})") == pytest.approx((chi2.ppf(0.95, df),), rel=0.01)


@pytest.mark.parametrize("n", [30, 90, 900])
@pytest.mark.parametrize("concentration", [0.01, 1, 100])
def test_the_interval_of_a_mean_is_the_same_in_sql_and_python(warehouse, n, concentration):
    values = np.random.default_rng(n).beta(3 * concentration, concentration, n)
    mean, variance = values.mean(), values.var(ddof=1)
    shown = compute(warehouse, f"mean_low({mean}, {variance}, {n}), 1 - mean_low({1 - mean}, {variance}, {n})")
    assert shown == pytest.approx(mean_interval(values), abs=1e-5)


def test_the_interval_of_equal_values_is_not_empty(warehouse):
    few, many = compute(warehouse, "mean_low(1, 0, 30), mean_low(1, 0, 900)")
    assert few == pytest.approx(30 / (30 + t.ppf(0.975, 29) ** 2), abs=1e-4)
    assert few < many < 1
    [middle] = compute(warehouse, "mean_low(0.5, 0, 30)")
    assert middle < 0.5


def test_a_scored_headline_has_the_same_label_in_sql_and_python(warehouse):
    random = np.random.default_rng(3)
    probabilities = np.round(random.dirichlet([0.5] * 4, 400), 1)  # with many ties
    for mode in ("label", "neutral"):
        labels, confidence = answer(probabilities, mode)
        with duckdb.connect(warehouse, read_only=True) as connection:
            connection.register("rows", {name: probabilities[:, at] for at, name in enumerate("abcd")})
            answers = connection.execute(
                f"SELECT answered_label(a, b, c, d, '{mode}'), answered_confidence(a, b, c, d, '{mode}'),"
                " is_unparsed(a, b, c, d), likeliest_label(a, with_unparsed(b, d), c) FROM rows"
            ).fetchall()
        assert [row[0] for row in answers] == labels
        assert [row[1] for row in answers] == pytest.approx(confidence.tolist())
        assert [row[2] for row in answers] == is_unparsed(probabilities).tolist()
        counted = [LABELS[number] for number in with_unparsed(probabilities).argmax(axis=1)]
        assert [row[3] for row in answers] == counted

"""Estimates are compared with known values, and their intervals with simulations."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from scipy.stats import t as student

from market.inference import LEAST_SESSIONS, bandwidth, correlate_ranks, regress


def series(values: np.ndarray) -> tuple[pd.Series, pd.Series, pd.Series]:
    count = len(values)
    return pd.Series(values), pd.Series(pd.date_range("2024-01-01", periods=count)), pd.Series(["A"] * count)


def test_a_coefficient_is_that_of_least_squares() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 2))
    y, session, instrument = series(x @ [0.5, -1.0] + 3 + random.normal(size=200))
    found = regress(y, pd.DataFrame(x, columns=["one", "two"]), session, instrument)
    expected = np.linalg.lstsq(np.column_stack([x, np.ones(200)]), y, rcond=None)[0]
    assert [found["one"].value, found["two"].value] == pytest.approx(expected[:2].tolist())
    assert found["one"].low < found["one"].value < found["one"].high
    assert found["two"].p_value < 0.001


def test_rank_correlation_is_spearmans_and_allows_for_instruments() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=100)
    y, session, instrument = series(x + random.normal(size=100))
    assert correlate_ranks(pd.Series(x), y, session, instrument).value == pytest.approx(spearmanr(x, y)[0])  # type: ignore[union-attr]
    shifted = pd.concat([y, y + 100], ignore_index=True)
    whose = pd.Series(["A"] * 100 + ["B"] * 100)
    both = correlate_ranks(pd.concat([pd.Series(x)] * 2, ignore_index=True), shifted, pd.concat([session] * 2), whose)
    assert both.value == pytest.approx(spearmanr(x, y)[0])  # type: ignore[union-attr]


def test_too_few_sessions_or_no_variation_have_no_estimate() -> None:
    y, session, instrument = series(np.arange(LEAST_SESSIONS - 1.0))
    assert regress(y, y.to_frame("x"), session, instrument) == {}
    y, session, instrument = series(np.arange(LEAST_SESSIONS + 10.0))
    assert regress(y, (y * 0 + 1).to_frame("x"), session, instrument) == {}
    assert correlate_ranks(y * 0, y, session, instrument) is None
    assert correlate_ranks(y[:0], y[:0], session[:0], instrument[:0]) is None


def test_an_estimate_needs_thirty_sessions_and_values_that_vary_within_instruments() -> None:
    random = np.random.default_rng(5)
    y, session, instrument = series(random.normal(size=LEAST_SESSIONS))
    x = pd.DataFrame({"x": random.normal(size=LEAST_SESSIONS)})
    assert set(regress(y, x, session, instrument)) == {"x"}
    halves = pd.Series(["A"] * 15 + ["B"] * 15)
    assert regress((halves == "A") * 1.0, x, session, halves) == {}
    assert regress(y, x.assign(only=(halves == "A") * 1.0), session, halves).keys() == {"x"}
    pairs = pd.Series([f"{row // 2}" for row in range(LEAST_SESSIONS)])
    assert set(regress(y, x, session, pairs)) == {"x"}
    of_each = pd.Series(["A", "A", *(f"{row}" for row in range(2, LEAST_SESSIONS))])
    assert regress(y, x, session, of_each) == {}


def test_rank_correlation_is_the_mean_over_instruments_weighted_by_their_sessions() -> None:
    """Whatever the spread of their ranks; an instrument of which one series does not vary has none."""
    random = np.random.default_rng(8)
    counts = {"A": 40, "B": 80, "C": 25}
    instrument = pd.Series(np.repeat(list(counts), list(counts.values())))
    session = pd.Series(np.concatenate([pd.date_range("2024-01-01", periods=n) for n in counts.values()]))
    x = pd.Series(random.normal(size=145))
    y = x * np.where(instrument == "A", 1.0, -0.2) + random.normal(size=145)
    y[instrument == "C"] = 7.0
    by_instrument = {name: spearmanr(x[instrument == name], y[instrument == name])[0] for name in "AB"}
    found = correlate_ranks(x, y, session, instrument)
    assert found
    assert found.value == pytest.approx((40 * by_instrument["A"] + 80 * by_instrument["B"]) / 120)


def test_the_interval_of_a_rank_correlation_ends_at_1() -> None:
    ranks = np.arange(40.0)
    nearly = ranks.copy()
    nearly[[0, 5]] = nearly[[5, 0]]
    y, session, instrument = series(nearly)
    up, down = (correlate_ranks(pd.Series(ranks), sign * y, session, instrument) for sign in (1, -1))
    assert up
    assert down
    assert (up.value, up.high, down.low) == (pytest.approx(spearmanr(ranks, nearly)[0]), 1.0, -1.0)
    assert 0.9 < up.low < up.value
    assert (down.value, down.high) == pytest.approx((-up.value, -up.low))


def test_errors_are_newey_and_wests_of_the_sums_of_sessions() -> None:
    random = np.random.default_rng(6)
    x, y = pd.Series(random.normal(size=80)), pd.Series(random.normal(size=80))
    session = pd.Series(np.repeat(pd.date_range("2024-01-01", periods=40), 2))
    instrument = pd.Series(["A", "B"] * 40)
    found = regress(y, x.to_frame("x"), session, instrument)["x"]
    inner, outer = (each - each.groupby(instrument).transform("mean") for each in (x, y))
    sums = (inner * (outer - found.value * inner)).groupby(session).sum().to_numpy()
    width = bandwidth(40)
    terms = [(1 - lag / width) * (sums[lag:] @ sums[: 40 - lag]) for lag in range(1, width)]
    error = np.sqrt((sums @ sums + 2 * sum(terms)) * 80 / 79) / (inner @ inner)
    reach = student.ppf(0.975, 1.5 * 40 / width) * error
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach))
    assert found.p_value == pytest.approx(2 * student.cdf(-abs(found.value) / error, 1.5 * 40 / width))


def test_rows_in_another_order_give_the_same() -> None:
    random = np.random.default_rng(3)
    y, session, instrument = series(random.normal(size=90))
    x = pd.DataFrame({"x": random.normal(size=90)})
    order = random.permutation(90)
    mixed = regress(y[order], x.iloc[order], session[order], instrument[order])
    assert mixed["x"] == pytest.approx(regress(y, x, session, instrument)["x"])


def test_bandwidth_is_that_of_lazarus_and_others() -> None:
    assert [bandwidth(sessions) for sessions in (100, 400, 500)] == [13, 26, 30]


@pytest.mark.slow
def test_autocorrelated_errors_cause_few_false_findings() -> None:
    """Both series are AR(1): with plain errors some 20 % of such tests are below .05."""
    random, found = np.random.default_rng(4), []
    for _ in range(200):
        noise = random.normal(size=(250, 2))
        for step in range(1, 250):
            noise[step] += 0.6 * noise[step - 1]
        y, session, instrument = series(noise[:, 0])
        found.append(regress(y, pd.DataFrame({"x": noise[:, 1]}), session, instrument)["x"].p_value < 0.05)
    assert 0.01 < np.mean(found) < 0.1

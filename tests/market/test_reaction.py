"""Returns that follow the sentiment are found, others are not; and nothing looks ahead."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from benchmarks.market import SESSIONS, count_daily, price, simulate
from market.demo import TICKERS, make_headlines
from market.events import bootstrap_mean, study_events
from market.prices import measure_returns
from market.reaction import Reaction, correct_p_values, measure_reaction


def measure(seed: int, coefficient: float, horizons: tuple[int, ...] = (1, 5)) -> Reaction:
    headlines = make_headlines(seed)
    returns, _ = measure_returns(price(headlines, coefficient, seed), SESSIONS, horizons)
    return measure_reaction(count_daily(headlines), returns, SESSIONS, horizons)


@pytest.fixture(scope="module")
def planted() -> Reaction:
    return measure(1, 0.01)


def coefficient_of(reaction: Reaction, scope: str = "panel") -> pd.Series:
    tests = reaction.tests
    selected = tests[(tests["scope"] == scope) & (tests["horizon"] == 1) & (tests["measure"] == "sentiment")]
    return selected.iloc[0]


def test_a_planted_coefficient_is_in_its_interval(planted: Reaction) -> None:
    found = coefficient_of(planted)
    assert found["low"] < 0.01 < found["high"]
    assert found["p_holm"] < 0.001
    assert (found["days"], found["sessions"]) == (planted.tests["days"].max(), planted.tests["sessions"].max())


def test_where_nothing_is_planted_nothing_is_found() -> None:
    tests = measure(1, 0.0).tests
    assert not (tests["p_holm"] < 0.05).any()
    assert tests["p_holm"].notna().sum() == 2 * 2 * (2 + len(TICKERS))


def test_prices_that_move_before_the_headline_do_not_count() -> None:
    headlines = make_headlines(1)
    prices = price(headlines, 0.01, 1)
    early = prices.assign(
        price=prices.groupby("instrument")["price"].shift(-2)
    ).dropna()  # two sessions ahead of the news
    returns, _ = measure_returns(early, SESSIONS, [1])
    assert coefficient_of(measure_reaction(count_daily(headlines), returns, SESSIONS, [1]))["p_holm"] > 0.05


def test_fifths_rise_with_the_sentiment_and_hold_all_days(planted: Reaction) -> None:
    fifths = planted.quantiles[planted.quantiles["horizon"] == 1]
    assert fifths["quantile"].tolist() == [1, 2, 3, 4, 5]
    assert fifths["sentiment"].is_monotonic_increasing
    assert fifths["value"].iloc[-1] > fifths["high"].iloc[0]
    assert fifths["days"].sum() == coefficient_of(planted)["days"]


@pytest.mark.parametrize(("number", "unpriced"), [(35, None), (42, 5)])
def test_the_regression_is_the_documented_one_and_a_gap_counts_as_zero(number: int, unpriced: int | None) -> None:
    """Returns that follow the formula exactly give its coefficients, on as few sessions as have an estimate.

    A session without prices is still the one before the next.
    """
    random, sessions = np.random.default_rng(5), pd.date_range("2024-01-01", periods=number)
    place, frames = np.arange(number), []
    has_news = place % 7 != 3
    for instrument in ("A", "B"):
        n, sentiment, spread = (
            random.integers(1, 4, number),
            random.uniform(-1, 1, number),
            random.uniform(0.1, 1, number),
        )
        frame = pd.DataFrame({"instrument": instrument, "session": sessions, "n": n})
        frame["sentiment"] = np.where(has_news, sentiment, 0.0)
        frame["dispersion"] = np.where(n > 1, spread, 0.0)
        frame["before"] = np.where(place == 0, np.nan, random.normal(size=number))
        frame["return_1"] = (
            0.01 * frame["sentiment"]
            + 0.02 * frame["dispersion"]
            + 0.03 * np.log(1 + n)
            + 0.04 * frame["sentiment"].shift(fill_value=0.0)
            + 0.05 * frame["before"].fillna(0.0)
        )
        frames.append(frame)
    every = pd.concat(frames, ignore_index=True)
    days = every[np.tile(has_news, 2)].drop(columns=["before", "return_1"])
    days["dispersion"] = days["dispersion"].where(days["n"] > 1)
    returns = every.loc[np.tile(place % 7 != unpriced, 2), ["instrument", "session", "before", "return_1"]]
    tests = measure_reaction(days, returns, pd.DataFrame({"session": sessions}), [1]).tests
    panel = tests[tests["scope"] == "panel"].set_index("measure")["estimate"]
    regressors = ["sentiment", "dispersion", "volume", "sentiment before", "return before"]
    assert panel[regressors].tolist() == pytest.approx([0.01, 0.02, 0.03, 0.04, 0.05])
    assert set(tests["instrument"].dropna()) == {"A", "B"}
    assert set(tests["sessions"]) == {30, 0}  # no day of all headlines was given


def test_prices_rise_after_strong_good_news_and_not_before(planted: Reaction) -> None:
    good = planted.events[planted.events["direction"] == "positive"].set_index("offset")
    assert good["value"][1] - good["value"][0] > 0.003
    assert good["low"][0] < 0 < good["high"][0]
    assert good.index.tolist() == list(range(-5, 11))


def test_p_values_are_holms_and_instruments_stay_behind_panel_and_mean() -> None:
    rows = [
        ("panel", "sentiment", 0.01),
        ("panel", "rank correlation", 0.04),
        ("overall", "sentiment", 0.03),
        ("overall", "rank correlation", 0.02),
        ("instrument", "sentiment", 0.0001),
        ("instrument", "rank correlation", 0.5),
        ("panel", "dispersion", 0.0),
    ]
    tests = pd.DataFrame(rows, columns=["scope", "measure", "p_value"])
    tests = tests.assign(instrument=None, horizon=1, days=99, sessions=99)
    *corrected, held = correct_p_values(tests)["p_holm"].tolist()
    assert corrected == pytest.approx([0.04, 0.06, 0.06, 0.06, 0.04, 0.5])  # .0001 is held back by the panel's .04
    assert pd.isna(held)


def test_abnormal_returns_add_up_from_five_sessions_before() -> None:
    sessions = pd.date_range("2024-01-01", periods=300, freq="D")
    place = np.arange(300)
    returns = pd.DataFrame({"instrument": "A", "session": sessions, "before": np.where(place % 20 == 11, 0.01, 0.0)})
    strong = np.where(place % 20 == 10, 1.0, 0.0)  # the day before each rise
    days = pd.DataFrame({"instrument": "A", "session": sessions, "sentiment": strong})
    found = study_events(days[(place % 20 == 10) | (place % 20 == 3)], returns).set_index("offset")
    mean = returns["before"].mean()
    assert set(found["direction"]) == {"positive"}
    assert found["events"].unique().tolist() == [14]  # the last day has no ten sessions after it
    assert found["value"][0] == pytest.approx(-6 * mean)
    assert found["value"][10] == pytest.approx(0.01 - 16 * mean)
    assert found["low"][10] == pytest.approx(found["high"][10])


def returns_of(instruments: str, moves: np.ndarray) -> pd.DataFrame:
    sessions = pd.date_range("2024-01-01", periods=len(moves))
    return pd.concat(
        [pd.DataFrame({"instrument": name, "session": sessions, "before": moves}) for name in instruments],
        ignore_index=True,
    )


@pytest.mark.parametrize(("sign", "direction"), [(1, "positive"), (-1, "negative")])
def test_events_are_the_outer_tenth_with_returns_in_their_whole_window(sign: int, direction: str) -> None:
    returns = returns_of("AB", np.zeros(135))
    sessions = returns["session"].unique()
    strong = [5, 16, 27, 38, 49, 60, 71, 82, 93, 104, 115, 124]  # the first and the last that have a whole window
    quiet = [place for place in range(5, 125) if place not in strong]
    sentiment = sign * np.arange(1, 121) / 120
    days = pd.DataFrame({"instrument": "A", "session": sessions[[*quiet, *strong]], "sentiment": sentiment})
    without_prices = days.tail(12).assign(instrument="C")
    missing = (returns["instrument"] == "A") & (returns["session"] == sessions[66])  # in the windows of two events
    found = study_events(pd.concat([days, without_prices], ignore_index=True), returns[~missing])
    assert (set(found["direction"]), set(found["events"])) == ({direction}, {10})


@pytest.mark.parametrize(("instruments", "value"), [("AB", 0.01 - 16 * 0.0005), ("ABC", 0.0)])
def test_the_mean_of_three_or_more_instruments_stands_for_the_market(instruments: str, value: float) -> None:
    place = np.arange(300)
    returns = returns_of(instruments, np.where(place % 20 == 11, 0.01, 0.0))
    is_event = (returns["instrument"] == "A") & (np.tile(place, len(instruments)) % 20 == 10)
    found = study_events(returns[is_event].assign(sentiment=1.0), returns).set_index("offset")
    assert found["value"][10] == pytest.approx(value)


def test_bands_of_a_mean_are_at_95_percent() -> None:
    values = np.random.default_rng(8).normal(size=400)
    low, high = bootstrap_mean(values, np.arange(400), np.random.default_rng(9))
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.06)


@pytest.mark.parametrize("sessions", [1, 4, 9])
def test_a_mean_of_few_sessions_has_no_interval(sessions: int) -> None:
    values, of = np.arange(30.0), np.arange(30) % sessions
    assert bootstrap_mean(values, of, np.random.default_rng(9)) is None
    assert bootstrap_mean(values, np.arange(30) % 10, np.random.default_rng(9)) is not None


def test_with_too_few_sessions_there_is_a_reason_and_no_estimate() -> None:
    headlines = make_headlines(1).head(60)
    returns, _ = measure_returns(price(headlines, 0.01, 1), SESSIONS, [1])
    found = measure_reaction(count_daily(headlines), returns, SESSIONS, [1])
    assert found.tests["estimate"].isna().all()
    assert found.tests["reason"].str.contains("sessions with headlines and returns, 30 are needed").all()
    assert found.events.empty
    few = found.quantiles[found.quantiles["days"] < 10]
    assert len(few) > 0
    assert few[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize("halted", [["AUR"], TICKERS])
def test_prices_that_do_not_move_have_a_reason_and_no_estimate(halted: Sequence[str]) -> None:
    headlines = make_headlines(1)
    prices = price(headlines, 0.01, 1)
    prices.loc[prices["instrument"].isin(halted), "price"] = 100.0
    returns, _ = measure_returns(prices, SESSIONS, [1])
    tests, quantiles, _ = measure_reaction(count_daily(headlines), returns, SESSIONS, [1])
    assert (quantiles["share_up"] == 0).all() == (len(halted) == len(TICKERS))
    still = tests[tests["instrument"].isin(halted) | (len(halted) == len(TICKERS))]
    assert not still.empty
    assert still["estimate"].isna().all()
    assert set(still["reason"]) == {"the sentiment or the returns do not vary"}
    assert tests.loc[tests["estimate"].notna(), "p_value"].notna().all()


@pytest.mark.soak
def test_coverage_and_false_findings_are_right_over_one_hundred_markets() -> None:
    """The coefficient is within its interval in 93 or more of 100; of placebos 5 or fewer find anything at all."""
    found = simulate()
    assert found["planted coefficient within its interval"] >= 93, found
    assert found["placebos with any finding"] <= 5, found
    assert found["placebo tests that are significant"] <= 0.05 * found["placebo tests"], found

"""How returns follow the sentiment of the days before them: correlations, regressions, quantiles, events."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from market.events import SEED, bootstrap_mean, study_events
from market.inference import LEAST_SESSIONS, Estimate, correlate_ranks, regress
from schemas.listing import count
from schemas.market import RANKS

QUANTILES = 5
TESTED = (RANKS, "sentiment")
"""The measures that are tests; the other coefficients are there to be held constant."""
PANEL, OVERALL, INSTRUMENT = "panel", "overall", "instrument"


class Reaction(NamedTuple):
    """All measurements."""

    tests: pd.DataFrame
    """Columns scope, instrument, horizon, measure, estimate, low, high, p_value, p_holm, days, sessions and reason."""
    quantiles: pd.DataFrame
    """Columns horizon, quantile (1 has the lowest sentiment), days, sentiment, value, low, high and share_up."""
    events: pd.DataFrame
    """As returned by `market.events.study_events`."""


def measure_reaction(
    days: pd.DataFrame, returns: pd.DataFrame, sessions: pd.DataFrame, horizons: Sequence[int]
) -> Reaction:
    """Measure how returns follow sentiment.

    Of a session, the sentiment is known at its close, and the returns begin there. The regression is
    `return = a + b sentiment + c dispersion + d log(1 + n) + e sentiment before + f return before`: the sentiment of
    the session before, and the return into this session, from the close before to its own. A session without headlines
    has the sentiment 0 there, and one headline the dispersion 0.

    Args:
        days: Columns instrument (None: all headlines), session, n, sentiment and dispersion.
        returns: As returned by `market.prices.measure_returns`, with the instruments as they are named in `days`.
        sessions: All sessions of the exchange, as returned by `market.calendar.list_sessions`.
        horizons: Those of the returns, sessions.

    Returns:
        Tests of the panel of all instruments (an intercept each), of the mean of all instruments against all
        headlines, and of each instrument. p-values of `TESTED` are corrected by Holm's method (1979) among panel and
        overall; those of instruments among themselves, and never below the smallest of the former (a gatekeeper). The
        chance of any false finding is 5 % where no return follows sentiment; where one of panel and overall does, 5 %
        among panel and overall, and as much again among the instruments.
    """
    by_instrument = days[days["instrument"].notna()]
    calendar = pd.DatetimeIndex(sessions["session"])
    joined = _join(by_instrument, returns, calendar)
    mean = returns.drop(columns="instrument").groupby("session").mean().reset_index().assign(instrument="")
    overall = _join(days[days["instrument"].isna()].assign(instrument=""), mean, calendar)
    rows = [
        {"scope": scope, "instrument": name, "horizon": horizon, **found}
        for horizon in horizons
        for scope, name, frame in _iterate_scopes(joined, overall)
        for found in _test(frame, horizon)
    ]
    tests = correct_p_values(pd.DataFrame(rows))
    return Reaction(tests, _describe_quantiles(joined, horizons), study_events(joined, returns))


def _join(days: pd.DataFrame, returns: pd.DataFrame, calendar: pd.DatetimeIndex) -> pd.DataFrame:
    """Days with headlines and their returns, with the regressors that are held constant."""
    place = pd.Series(range(len(calendar)), index=calendar)
    placed = days.assign(place=days["session"].map(place)).dropna(subset="place")
    last = placed[["instrument", "place", "sentiment"]].assign(place=placed["place"] + 1)
    before = last.rename(columns={"sentiment": "sentiment before"})
    joined = placed.merge(before, on=["instrument", "place"], how="left").merge(returns, on=["instrument", "session"])
    joined["sentiment before"] = joined["sentiment before"].fillna(0.0)
    joined["return before"] = joined["before"].fillna(0.0)
    joined["dispersion"] = joined["dispersion"].fillna(0.0)
    joined["volume"] = np.log1p(joined["n"].astype("float64"))
    return joined.sort_values(["instrument", "session"], ignore_index=True)


def _iterate_scopes(joined: pd.DataFrame, overall: pd.DataFrame) -> Iterator[tuple[str, str | None, pd.DataFrame]]:
    yield PANEL, None, joined
    yield OVERALL, None, overall
    groups = joined.groupby("instrument", sort=True)
    if len(groups) > 1:
        yield from ((INSTRUMENT, str(name), frame) for name, frame in groups)


def _test(frame: pd.DataFrame, horizon: int) -> Iterator[dict[str, object]]:
    known = frame.dropna(subset=f"return_{horizon}").reset_index(drop=True)
    sessions = int(known["session"].nunique())
    counts = {"days": len(known), "sessions": sessions}
    if sessions < LEAST_SESSIONS:
        reason = f"{count(sessions, 'session')} with headlines and returns, {LEAST_SESSIONS} are needed"
        yield from ({"measure": measure, **counts, "reason": reason} for measure in TESTED)
        return
    returns, whose = known[f"return_{horizon}"], (known["session"], known["instrument"])
    ranks = correlate_ranks(known["sentiment"], returns, *whose)
    held = ["sentiment", "dispersion", "volume", "sentiment before", "return before"]
    found: dict[str, Estimate | None] = {RANKS: ranks, "sentiment": None, **regress(returns, known[held], *whose)}
    for measure, estimate in found.items():
        if estimate is None:
            yield {"measure": measure, **counts, "reason": "the sentiment or the returns do not vary"}
        else:
            row = {"estimate": estimate.value, "low": estimate.low, "high": estimate.high, "p_value": estimate.p_value}
            yield {"measure": measure, **row, **counts}


def correct_p_values(tests: pd.DataFrame) -> pd.DataFrame:
    """The tests with p_holm: the corrected p-value, NaN for a measure that is not tested; see `measure_reaction`."""
    from statsmodels.stats.multitest import multipletests

    columns = ("estimate", "low", "high", "p_value", "reason")
    tests = tests.assign(**{name: None for name in columns if name not in tests}).assign(p_holm=np.nan)
    p_values = tests["p_value"].astype("float64")
    is_test = tests["measure"].isin(TESTED) & p_values.notna()
    floor = 0.0
    for in_scope in (tests["scope"] != INSTRUMENT, tests["scope"] == INSTRUMENT):
        family = is_test & in_scope
        if family.any():
            corrected = np.maximum(multipletests(p_values[family], method="holm")[1], floor)
            tests.loc[family, "p_holm"] = corrected
            floor = float(corrected.min())
    order = ["scope", "instrument", "horizon", "measure", "estimate", "low", "high", "p_value", "p_holm"]
    return tests[[*order, "days", "sessions", "reason"]]


def _describe_quantiles(joined: pd.DataFrame, horizons: Sequence[int]) -> pd.DataFrame:
    """Days by quantile of sentiment, equal sentiments in one: mean return with its bootstrap interval, share up."""
    rows = []
    for horizon in horizons:
        known = joined.dropna(subset=f"return_{horizon}")
        if known.empty:
            continue
        quantile = np.ceil(known["sentiment"].rank(pct=True) * QUANTILES).astype("int64")
        random = np.random.default_rng(SEED)
        for number, days in known.groupby(quantile):
            values = days[f"return_{horizon}"]
            low, high = bootstrap_mean(values.to_numpy(), days["session"].to_numpy(), random) or (None, None)
            figures = {"value": values.mean(), "low": low, "high": high, "share_up": (values > 0).mean()}
            counts = {"horizon": horizon, "quantile": number, "days": len(days), "sentiment": days["sentiment"].mean()}
            rows.append({**counts, **figures})
    columns = ["horizon", "quantile", "days", "sentiment", "value", "low", "high", "share_up"]
    return pd.DataFrame(rows, columns=columns)

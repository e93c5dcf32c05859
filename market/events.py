"""What prices did around days of strong sentiment: mean cumulative abnormal returns with bootstrap bands.

MacKinlay 1997, "Event Studies in Economics and Finance", Journal of Economic Literature 35. An abnormal return is that
of the instrument less the mean of all instruments where there are three or more (the market-adjusted model), else less
its own mean (the constant-mean model).
"""

import numpy as np
import pandas as pd

BEFORE, AFTER = 5, 10
"""Sessions around the event."""
STRONG = 0.1
"""Share of an instrument's days that are strong, at each end."""
DRAWS, SEED = 1_000, 42
"""Of the bootstrap."""
LEAST_RESAMPLED = 10
"""With fewer sessions a bootstrap of sessions has no interval: it would be far too narrow."""
LEAST_FOR_MARKET = 3
"""The least number of instruments whose mean stands for the market."""


def study_events(days: pd.DataFrame, returns: pd.DataFrame) -> pd.DataFrame:
    """Mean cumulative abnormal returns from `BEFORE` sessions before strong days to `AFTER` after them.

    A day is strong where its sentiment is in the outer tenth of the instrument's days and above, or below, zero. Events
    without a return in each session of the window are left out. The bands are percentiles of `DRAWS` bootstrap samples
    of sessions, so that events of one session stay together.

    Args:
        days: Columns instrument, session and sentiment.
        returns: As returned by `market.prices.measure_returns`, for every session.

    Returns:
        Columns direction (positive, negative), offset (sessions from the event), value, low, high (shares, at 95 %),
        and events; no rows of a direction with events in fewer than `LEAST_RESAMPLED` sessions.
    """
    grid = returns.set_index(["session", "instrument"])["before"].unstack()  # noqa: PD010 (a pivot without aggregation)
    abnormal = grid.sub(grid.mean(axis=1), axis=0) if grid.shape[1] >= LEAST_FOR_MARKET else grid - grid.mean()
    values, random = abnormal.to_numpy(), np.random.default_rng(SEED)
    by_instrument = days.groupby("instrument")["sentiment"]
    ends = {
        "positive": (days["sentiment"] >= by_instrument.transform("quantile", 1 - STRONG)) & (days["sentiment"] > 0),
        "negative": (days["sentiment"] <= by_instrument.transform("quantile", STRONG)) & (days["sentiment"] < 0),
    }
    curves = []
    for direction, is_strong in ends.items():
        strong = days[is_strong]
        row = abnormal.index.get_indexer(pd.DatetimeIndex(strong["session"]))
        column = abnormal.columns.get_indexer(pd.Index(strong["instrument"]))
        inside = (row >= BEFORE) & (row < len(values) - AFTER) & (column >= 0)
        row, column = row[inside], column[inside]
        windows = values[row[:, None] + np.arange(-BEFORE, AFTER + 1), column[:, None]]
        whole = ~np.isnan(windows).any(axis=1)
        paths, sessions = np.cumsum(windows[whole], axis=1), row[whole]
        bounds = bootstrap_mean(paths, sessions, random)
        if bounds is None:
            continue
        low, high = bounds
        curve = {"offset": np.arange(-BEFORE, AFTER + 1), "value": paths.mean(axis=0), "low": low, "high": high}
        curves.append(pd.DataFrame({"direction": direction, **curve, "events": len(paths)}))
    empty = pd.DataFrame(columns=["direction", "offset", "value", "low", "high", "events"])
    return pd.concat(curves, ignore_index=True) if curves else empty


def bootstrap_mean(
    values: np.ndarray, sessions: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """The 2.5 % and 97.5 % points of the mean of values `[N, ...]` over bootstrap samples of whole sessions.

    None with fewer than `LEAST_RESAMPLED` sessions.
    """
    codes, known = pd.factorize(sessions)
    count = len(known)
    if count < LEAST_RESAMPLED:
        return None
    sums = np.zeros((count, *values.shape[1:]))
    np.add.at(sums, codes, values)
    sizes = np.bincount(codes, minlength=count)
    weights = random.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    means = np.tensordot(weights, sums, axes=1) / (weights @ sizes).reshape(-1, *[1] * (values.ndim - 1))
    low, high = np.percentile(means, (2.5, 97.5), axis=0)
    return low, high

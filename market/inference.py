"""Regressions of returns whose errors are dependent in time and between instruments, with intervals that allow for it.

The covariance is Newey and West's (1987) of the sums of a session, so that instruments of one session may move together
(Driscoll and Kraay 1998), from statsmodels. The bandwidth is 1.3 times the root of the number of sessions, and the
critical values are of Student's t with as many degrees of freedom as the kernel leaves, 1.5 T / S of Bartlett's: with
normal ones and short bandwidths such tests find too much (Lazarus, Lewis, Stock and Watson 2018, "HAR Inference",
Journal of Business & Economic Statistics 36).
"""

from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd

LEAST_SESSIONS = 30
"""With fewer sessions there is no estimate."""


class Estimate(NamedTuple):
    """A coefficient with its 95 % interval and two-sided p-value."""

    value: float
    low: float
    high: float
    p_value: float


def bandwidth(sessions: int) -> int:
    """Bandwidth of the kernel, its lags plus one: ceil(1.3 sqrt(T)), by Lazarus, Lewis, Stock and Watson (2018)."""
    return ceil(1.3 * sqrt(sessions))


def regress(y: pd.Series, x: pd.DataFrame, session: pd.Series, instrument: pd.Series) -> dict[str, Estimate]:
    """Least squares of y on the columns of x, with an intercept for each instrument.

    Args:
        y: One value a row, N of them.
        x: The regressors, `[N, K]`. A column that is constant within instruments has no estimate.
        session: The time of each row.
        instrument: The instrument of each row.

    Returns:
        The estimate of each column of x; none at all with fewer than `LEAST_SESSIONS` sessions, as many rows as
        coefficients, or a y that is constant within instruments.
    """
    from scipy.stats import t as student
    from statsmodels.regression.linear_model import OLS

    times = pd.factorize(session, sort=True)[0]
    count = int(times.max()) + 1 if len(times) else 0
    within = x - x.groupby(instrument.to_numpy()).transform("mean")
    used = [name for name in x.columns if within[name].abs().max() > 1e-12]  # noqa: PLR2004 (the rounding of a mean)
    centred = y - y.groupby(instrument.to_numpy()).transform("mean")
    varies = len(y) > 0 and centred.abs().max() > 1e-12  # noqa: PLR2004
    if count < LEAST_SESSIONS or not used or not varies or len(y) <= len(used) + instrument.nunique():
        return {}
    order = np.argsort(times, kind="stable")
    lags = bandwidth(count)
    fitted = OLS(centred.to_numpy()[order], within[used].to_numpy()[order]).fit()
    robust = fitted.get_robustcov_results("hac-groupsum", time=times[order], maxlags=lags - 1, use_correction="hac")
    freedom = 1.5 * count / lags
    reach = float(student.ppf(0.975, freedom))
    estimates = {}
    for name, value, error in zip(used, robust.params, robust.bse, strict=True):
        p_value = 2 * float(student.sf(abs(value) / error, freedom)) if error > 0 else float("nan")
        estimates[name] = Estimate(float(value), float(value - reach * error), float(value + reach * error), p_value)
    return estimates


def correlate_ranks(x: pd.Series, y: pd.Series, session: pd.Series, instrument: pd.Series) -> Estimate | None:
    """Spearman's rank correlation, ranked within each instrument, with an interval that allows for dependence in time.

    It is the slope of the regression of the standardised ranks; the interval is cut to [-1, 1].

    Returns:
        None with fewer than `LEAST_SESSIONS` sessions, or where one of the two does not vary.
    """
    groups = instrument.to_numpy()
    ranks = [_standardise(values.groupby(groups).rank(), groups) for values in (x, y)]
    if any(rank.isna().any() for rank in ranks):
        keep = ranks[0].notna() & ranks[1].notna()
        ranks = [rank[keep] for rank in ranks]
        session, instrument = session[keep], instrument[keep]
    if not len(ranks[0]):
        return None
    found = regress(ranks[1], ranks[0].to_frame("rank"), session, instrument).get("rank")
    if found is None:
        return None
    return found._replace(low=max(found.low, -1.0), high=min(found.high, 1.0))


def _standardise(ranks: pd.Series, groups: np.ndarray) -> pd.Series:
    """Ranks with mean 0 and variance 1 within each group; NaN where they do not vary."""
    grouped = ranks.groupby(groups)
    spread = grouped.transform("std", ddof=0)
    return (ranks - grouped.transform("mean")) / spread.where(spread > 0)

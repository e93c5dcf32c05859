"""Headlines with dates and invented tickers, and invented prices that follow their sentiment by a known share.

`python -m market.demo FOLDER` writes headlines.csv and prices.csv there. Nothing in it is real: the texts are the
synthetic headlines that ship with the project, and the prices are random numbers plus `--coefficient` times the mean
sentiment of the session before.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from embedded.headlines import generate_headlines
from market.calendar import list_sessions

TICKERS = ("AUR", "BEL", "COR")
FIRST, LAST = pd.Timestamp("2023-01-02"), pd.Timestamp("2024-12-30")
COEFFICIENT = 0.01
VALUES = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}
MARKET_NOISE, OWN_NOISE = 0.006, 0.01
"""Standard deviations of a session's return: of the part that all tickers share, and of that of each ticker."""


def make_headlines(seed: int) -> pd.DataFrame:
    """The embedded headlines with a time and a ticker, by time: columns published_at, instrument, label and text."""
    random = np.random.default_rng(seed)
    headlines = generate_headlines()
    seconds = int((LAST - FIRST).total_seconds())
    times = FIRST + pd.to_timedelta(random.integers(1, seconds, len(headlines)), unit="s")
    frame = pd.DataFrame(
        {
            "published_at": times,
            "instrument": random.choice(TICKERS, len(headlines)),
            "label": [headline.sentiment for headline in headlines],
            "text": [headline.text for headline in headlines],
        }
    )
    return frame.sort_values("published_at", ignore_index=True)


def make_prices(headlines: pd.DataFrame, coefficient: float, seed: int) -> pd.DataFrame:
    """Closing prices of the tickers: columns date, instrument and close.

    Args:
        headlines: As returned by `make_headlines`.
        coefficient: The return of a session for one unit of the mean sentiment of the session before, a share.
        seed: Seed of the noise, which follows Student's t with 5 degrees of freedom, as returns have heavy tails.
    """
    random = np.random.default_rng(seed + 1)
    sessions = list_sessions("XNYS", FIRST, LAST)
    place = sessions["closes_at"].searchsorted(headlines["published_at"])
    values = headlines["label"].map(VALUES)
    means = values.groupby([place, headlines["instrument"]]).mean().unstack()  # noqa: PD010 (a pivot by position)
    sentiment = means.reindex(index=range(len(sessions)), columns=list(TICKERS)).fillna(0.0).to_numpy()
    size = (len(sessions), len(TICKERS))
    scale = np.sqrt(3 / 5)  # the variance of t with 5 degrees of freedom is 5/3
    returns = MARKET_NOISE * scale * random.standard_t(5, (size[0], 1)) + OWN_NOISE * scale * random.standard_t(5, size)
    returns[1:] += coefficient * sentiment[:-1]
    closes = 100 * np.cumprod(1 + returns, axis=0)
    frame = pd.DataFrame(closes, columns=list(TICKERS)).assign(date=sessions["session"].dt.date)
    long = frame.melt(id_vars="date", var_name="instrument", value_name="close")
    return long.sort_values(["date", "instrument"], ignore_index=True).round({"close": 4})


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the two files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where headlines.csv and prices.csv go")
    parser.add_argument("--coefficient", type=float, default=COEFFICIENT, help="0: prices do not depend on the news")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    headlines = make_headlines(options.seed)
    prices = make_prices(headlines, options.coefficient, options.seed)
    for name, frame in (("headlines.csv", headlines), ("prices.csv", prices)):
        frame.to_csv(options.folder / name, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    sys.stdout.write(
        f"{options.folder}: headlines.csv, {len(headlines):,} headlines; prices.csv, {len(prices):,} prices\n"
    )


if __name__ == "__main__":
    main()

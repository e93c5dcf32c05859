"""`fintone market`: how often it finds a planted and an absent effect, and how long a million headlines take.

The simulation uses the headlines and prices of `market.demo` with labels that are always right: 100 seeds with a
coefficient of .01, and 100 placebos whose returns are shuffled in blocks of 20 sessions.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.arguments import parse_nothing
from benchmarks.machine import write_results
from market.calendar import list_sessions
from market.demo import COEFFICIENT, FIRST, LAST, VALUES, make_headlines, make_prices
from market.prices import measure_returns
from market.reaction import measure_reaction

SEEDS, BLOCK, ROWS, REPEATS = 100, 20, 1_000_000, 3
HORIZONS = (1, 5)
SESSIONS = list_sessions("XNYS", FIRST, LAST)


def count_daily(headlines: pd.DataFrame) -> pd.DataFrame:
    """The daily sentiment of a model that is always right, in the form of `storage.market.save_market`."""
    place = SESSIONS["closes_at"].searchsorted(headlines["published_at"])
    valued = headlines.assign(session=SESSIONS["session"].to_numpy()[place], value=headlines["label"].map(VALUES))
    frames = [
        valued.groupby(keys)["value"].agg(n="count", sentiment="mean", dispersion="std").reset_index()
        for keys in (["instrument", "session"], ["session"])
    ]
    return pd.concat([frames[0], frames[1].assign(instrument=None)], ignore_index=True)


def price(headlines: pd.DataFrame, coefficient: float, seed: int) -> pd.DataFrame:
    """The prices of `market.demo`, in the form that `measure_returns` takes."""
    prices = make_prices(headlines, coefficient, seed).rename(columns={"close": "price"})
    return prices.assign(session=pd.to_datetime(prices["date"])).drop(columns="date")


def shuffle(prices: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Prices whose returns are in another order: blocks of sessions are shuffled, alike for all instruments."""
    grid = prices.set_index(["session", "instrument"])["price"].unstack()  # noqa: PD010 (a pivot without aggregation)
    moves = (grid / grid.shift()).iloc[1:].to_numpy()
    blocks = [moves[start : start + BLOCK] for start in range(0, len(moves), BLOCK)]
    mixed = np.concatenate([blocks[place] for place in np.random.default_rng(seed).permutation(len(blocks))])
    closes = grid.iloc[:1].to_numpy() * np.vstack([np.ones(grid.shape[1]), np.cumprod(mixed, axis=0)])
    frame = pd.DataFrame(closes, index=grid.index, columns=grid.columns).reset_index()
    return frame.melt(id_vars="session", var_name="instrument", value_name="price")


def simulate() -> dict[str, float]:
    """How often the interval holds the planted coefficient and the test finds it, and how often a placebo test does."""
    inside = found = false = significant = tests = 0
    for seed in range(SEEDS):
        headlines = make_headlines(seed)
        days, prices = count_daily(headlines), price(headlines, COEFFICIENT, seed)
        rows = measure_reaction(days, measure_returns(prices, SESSIONS, HORIZONS)[0], SESSIONS, HORIZONS).tests
        planted = rows[(rows["scope"] == "panel") & (rows["horizon"] == 1) & (rows["measure"] == "sentiment")].iloc[0]
        inside += bool(planted["low"] <= COEFFICIENT <= planted["high"])
        found += bool(planted["p_holm"] < 0.05)  # noqa: PLR2004 (the level)
        placebo = measure_reaction(
            days, measure_returns(shuffle(prices, seed), SESSIONS, HORIZONS)[0], SESSIONS, HORIZONS
        ).tests
        is_clear = placebo["p_holm"] < 0.05  # noqa: PLR2004
        false += bool(is_clear.any())
        significant += int(is_clear.sum())
        tests += int(placebo["p_holm"].notna().sum())
    return {
        "seeds": SEEDS,
        "planted coefficient within its interval": inside,
        "planted coefficient found": found,
        "placebos with any finding": false,
        "placebo tests that are significant": significant,
        "placebo tests": tests,
    }


def time_a_million() -> dict[str, float]:
    """Seconds for the daily sentiment of a million answers in a warehouse, with the join to sessions and prices."""
    from storage.market import save_market
    from storage.warehouse import prepare_warehouse, writing

    random = np.random.default_rng(1)
    seconds = int((LAST - FIRST).total_seconds())
    rows = pd.DataFrame(
        {
            "row_number": np.arange(1, ROWS + 1),
            "text": [f"headline {number}" for number in range(ROWS)],
            "published_at": FIRST + pd.to_timedelta(random.integers(1, seconds, ROWS), unit="s"),
            "instrument": random.choice([f"T{number:03d}" for number in range(500)], ROWS),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Path(folder) / "warehouse.duckdb"
        prepare_warehouse(warehouse)
        with writing(warehouse) as connection:
            connection.register("incoming", rows)
            connection.execute(_ANSWERS)
        listed = [(f"T{number:03d}", session, 100.0) for number in range(500) for session in SESSIONS["session"]]
        prices = pd.DataFrame(listed, columns=["instrument", "session", "price"])
        market = {
            **dict.fromkeys(("market_id", "prices", "location", "price_column", "calendar", "cell_id"), "cell"),
            "timezone": "UTC",
            "horizons": [1],
            "temperature": 1.0,
            "prices_used": len(prices),
            "rows_rejected": 0,
            "jumps": 0,
        }
        taken = []
        for _ in range(REPEATS):
            found: list[pd.DataFrame] = []

            def keep(days: pd.DataFrame, found: list[pd.DataFrame] = found) -> dict[str, pd.DataFrame]:
                found.append(days)
                return {}

            start = time.perf_counter()
            save_market(warehouse, market, SESSIONS, prices, keep)
            taken.append(time.perf_counter() - start)
    [days] = found
    if int(days.loc[days["instrument"].notna(), "n"].sum()) < ROWS * 0.99:
        raise RuntimeError("not all headlines were counted")
    return {"daily sentiment of 1,000,000 headlines with its join, s": median(taken)}


_ANSWERS = """
INSERT INTO sources BY NAME SELECT 'ingest' AS ingest_id, 'a' AS source, 'csv' AS kind, 'a' AS sha256,
    false AS synthetic, 0 AS rows_read, 0 AS rows_accepted, 0 AS rows_rejected, 0 AS rows_merged, 'a' AS snapshot_id,
    TIMESTAMP '2020-01-01' AS ingested_at;
INSERT INTO headlines BY NAME SELECT 'trained' AS headline_id, 'old news' AS text, 'neutral' AS label,
    'ingest' AS first_ingest_id;
INSERT INTO splits BY NAME SELECT 'split' AS split_id, 'a' AS snapshot_id, 'trained' AS headline_id, 'train' AS part;
INSERT INTO cells BY NAME SELECT 'cell' AS cell_id, 'fine-tuned' AS kind, 'a' AS model, 'split' AS split_id,
    'a' AS snapshot_id, '{}' AS hyperparameters;
INSERT INTO scorings BY NAME SELECT 'scoring' AS scoring_id, 'a' AS source, 'a' AS location, 'cell' AS cell_id,
    1.0 AS temperature, 'd' AS decoding_id, 0 AS rows_read, 0 AS rows_rejected, 0 AS headlines_scored,
    0 AS headlines_known, 'label' AS unparsed, TIMESTAMP '2020-01-01' AS started_at;
INSERT INTO ledger.scores BY NAME SELECT text AS text_id, 'cell' AS cell_id, 1.0 AS temperature, 'd' AS decoding_id,
    text, .1 AS p_negative, .2 AS p_neutral, random() AS p_positive, 0 AS p_unparsed,
    TIMESTAMP '2025-01-01' AS scored_at FROM incoming;
INSERT INTO ledger.scored_rows BY NAME SELECT 'scoring' AS scoring_id, row_number, text AS text_id, published_at,
    instrument, false AS in_sample FROM incoming;
"""


def main() -> None:
    """Measure and write the results."""
    parse_nothing(__doc__)
    figures = time_a_million()
    print(figures)
    figures |= simulate()
    print(figures)
    write_results("market", figures, {})


if __name__ == "__main__":
    main()

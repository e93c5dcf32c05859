"""One price for each instrument and session, from rows of prices; those that cannot be used are counted by reason."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from schemas.columns import find_column
from schemas.errors import InputError

DATES = ("date", "session", "day", "datetime", "timestamp", "time")
INSTRUMENTS = ("instrument", "ticker", "symbol", "isin", "entity", "ric")
PRICES = ("adj_close", "adj close", "adjusted close", "adjusted_close", "adjclose", "close", "price", "px_last", "last")
"""Names of columns; the first name that a table has is used, so adjusted prices come before others."""
NO_SESSION = "the exchange had no session on that day"
"""A reason why a price is not used."""
MOST_LIKE_A_SPLIT = 0.45
"""A loss of more than this share from one session to the next, or a gain that would undo it, may be a split."""
_THOUSANDS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?"
"""A number whose commas separate thousands; no other comma is allowed in a number."""


class PricesError(InputError):
    """There are no prices, or no columns that hold them."""


class Prices(NamedTuple):
    """Prices that can be used, and what was not used."""

    frame: pd.DataFrame
    """Columns instrument, session (of the calendar) and price, above zero; one row for each pair, ascending."""
    rejected: pd.Series
    """Number of rows by reason."""
    column: str
    """The column of the prices."""


def read_prices(
    table: pd.DataFrame, dates: pd.Series, sessions: pd.Series, source: str, price_column: str | None
) -> Prices:
    """Take prices from a table with one row for each price, or with a column of dates and one for each instrument.

    Args:
        table: The table, its cells as text.
        dates: The day of each row, at midnight; NaT where it cannot be read.
        sessions: The sessions of the exchange.
        source: The file, for errors.
        price_column: The column of the prices; found if None.

    Raises:
        PricesError: No column holds prices, or no row has one.
    """
    rows, column = _spread(table, dates, source, price_column)
    texts = rows["price"].astype("str").str.strip()
    plain = texts.where(~texts.str.fullmatch(_THOUSANDS), texts.str.replace(",", ""))
    price = pd.to_numeric(plain, errors="coerce")
    reasons = {
        "the date cannot be read": rows["session"].isna(),
        "no instrument": rows["instrument"].isna() | (rows["instrument"] == ""),
        "the price is no number": price.isna() | ~np.isfinite(price),
        "the price is not above zero": price <= 0,
        NO_SESSION: ~rows["session"].isin(pd.DatetimeIndex(sessions)),
    }
    rows = rows.assign(price=price, reason=np.select(list(reasons.values()), list(reasons), default=""))
    fine = rows[rows["reason"] == ""]
    equal = fine.drop_duplicates(["instrument", "session", "price"])
    twice = equal.duplicated(["instrument", "session"], keep=False)
    rejected = pd.concat(
        [
            rows.loc[rows["reason"] != "", "reason"],
            pd.Series(["another price for the same instrument and session"] * int(twice.sum()), dtype="object"),
        ]
    ).value_counts()
    kept = equal.loc[~twice, ["instrument", "session", "price"]].sort_values(["instrument", "session"])
    if kept.empty:
        most = f", {rejected.index[0]}" if len(rejected) else ""
        raise PricesError(f"{source}: has no price that can be used{most}; it needs a date, an instrument and a close")
    return Prices(kept.reset_index(drop=True), rejected, column)


def _spread(table: pd.DataFrame, dates: pd.Series, source: str, price_column: str | None) -> tuple[pd.DataFrame, str]:
    """One row for each price, with columns session, instrument and price; and the name of the column of prices."""
    instrument = find_column(table.columns, INSTRUMENTS)
    price = price_column or find_column(table.columns, PRICES)
    if price is not None and price not in table.columns:
        raise PricesError(f"{source}: has no column {price!r}; its columns are {', '.join(map(repr, table.columns))}")
    if instrument is not None and price is not None:
        named = table[instrument].astype("str").str.strip().str.upper().where(table[instrument].notna())
        return pd.DataFrame({"session": dates, "instrument": named, "price": table[price]}), price
    date = find_column(table.columns, DATES)
    wide = [name for name in table.columns if name not in {date, "session", instrument}]
    if instrument is None and price is None and wide:
        dated = table.assign(session=dates)
        long = dated.melt(id_vars="session", value_vars=wide, var_name="instrument", value_name="price")
        long = long[long["price"].notna() & (long["price"].astype("str").str.strip() != "")]
        return long.assign(instrument=long["instrument"].str.strip().str.upper()), "a column an instrument"
    lacking = "instrument (or ticker)" if instrument is None else "close (or adj_close, price)"
    raise PricesError(
        f"{source}: has no column {lacking}; give columns date, instrument and close, or date and a column for each "
        "instrument"
    )


def measure_returns(prices: pd.DataFrame, sessions: pd.DataFrame, horizons: Sequence[int]) -> tuple[pd.DataFrame, int]:
    """The return of each instrument from each session's close to the close some sessions later.

    A return exists where both closes do, and where no step on the way looks like a split: a session's price more than
    `MOST_LIKE_A_SPLIT` below the last one, or as far above as undoes that. A missing price has no returns.

    Args:
        prices: See `Prices.frame`.
        sessions: As returned by `market.calendar.list_sessions`.
        horizons: Sessions ahead.

    Returns:
        Columns instrument, session, before (the return into this session from the last one) and return_H for each
        horizon H, as shares; and how many steps look like splits.
    """
    grid = prices.set_index(["session", "instrument"])["price"].unstack()  # noqa: PD010 (a pivot without aggregation)
    grid = grid.reindex(pd.DatetimeIndex(sessions["session"], name="session"))
    jumps = (grid.ffill() / grid.ffill().shift()).sub(1.0)
    is_jump = (jumps < -MOST_LIKE_A_SPLIT) | (jumps > 1 / (1 - MOST_LIKE_A_SPLIT) - 1)
    passed = is_jump.cumsum()
    found = {"before": (grid / grid.shift() - 1).mask(is_jump)}
    for horizon in horizons:
        moved = grid.shift(-horizon) / grid - 1
        found[f"return_{horizon}"] = moved.where(passed.shift(-horizon) == passed)
    stacked = pd.concat(
        {
            name: frame.rename_axis(columns="instrument").stack(future_stack=True)  # noqa: PD013 (the index stays)
            for name, frame in found.items()
        },
        axis=1,
    )
    ordered = stacked.dropna(how="all").reset_index()
    return ordered.sort_values(["instrument", "session"]).reset_index(drop=True), int(is_jump.to_numpy().sum())

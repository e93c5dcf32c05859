"""Compares sentiment with prices, for `fintone market`. Runs without Prefect."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from operations.market_answers import NothingMeasuredError, choose_answers
from operations.report_index import renew_index
from schemas.identity import content_id
from schemas.listing import count, list_some
from schemas.market import MarketSettings, Measured
from storage.home import Home

if TYPE_CHECKING:
    from datetime import time

    import pandas as pd

    from market.prices import Prices


_LEAST_ALIKE, _LEAST_SHARE = 5, 0.2
"""Least number and share of the answers that count at which one time of day is noted."""


def measure_market(settings: MarketSettings) -> Measured:
    """Compare the daily sentiment of a model with prices, and save the results.

    Args:
        settings: The prices, the model, the exchange and the horizons. The same prices, exchange and model again
            replace the results, also of other horizons.

    Raises:
        InputError: The prices cannot be read or are of too few sessions, there is no such calendar or model, the model
            has no answers with dates that count, or none of its instruments has prices.
        OutputError: The page of all studies, which lists the measurement, cannot be written.
    """
    from ingestion.price_table import find_price_file
    from market.prices import measure_returns
    from market.reaction import measure_reaction
    from storage.market import find_common_time, list_instruments, load_horizons, save_market

    home = Home.from_environment()
    path = find_price_file(settings.prices)
    answers = choose_answers(settings)
    cell_id, temperature = answers.cell or (None, None)
    prices, sessions = _read_prices(path, settings)
    frame = prices.frame
    returns, jumps = measure_returns(frame, sessions, settings.horizons)
    matched = _match(list_instruments(home.warehouse, answers.cell), frame, path.name)
    market_id = content_id([str(path.resolve()), settings.calendar, cell_id, temperature])
    market = {
        "market_id": market_id,
        "prices": path.name,
        "location": str(path.resolve()),
        "price_column": prices.column,
        "calendar": settings.calendar,
        "timezone": settings.timezone,
        "horizons": list(settings.horizons),
        "cell_id": cell_id,
        "temperature": temperature,
        "prices_used": len(frame),
        "rows_rejected": int(prices.rejected.sum()),
        "jumps": jumps,
    }

    learned = "the model" if answers.cell else "the champions"

    def measure(days: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
        if days.empty:
            raise NothingMeasuredError(
                f"prices {path.name}: no headline that counts is in their time, {min(frame['session']):%Y-%m-%d} to "
                f"{max(frame['session']):%Y-%m-%d}; {learned} learned from headlines up to "
                f"{answers.counts.trained_to:%Y-%m-%d}"
            )
        return measure_reaction(days, returns, sessions, settings.horizons)._asdict()

    before = load_horizons(home.warehouse, market_id)
    save_market(home.warehouse, market, sessions, frame, measure)
    renew_index(home)
    notes = [
        *answers.describe(),
        *_describe_prices(prices, jumps, matched),
        *_note_other_days(prices, settings.calendar),
    ]
    common = find_common_time(home.warehouse, answers.cell, settings.timezone)
    notes += _note_common_time(common, answers.counts.counting)
    if before and before != list(settings.horizons):
        earlier = list_some([f"{horizon}d" for horizon in before])
        notes.append(f"replaces the results for {earlier}: Holm's correction is for the horizons of one measurement")
    return Measured(market_id, cell_id, temperature, tuple(notes))


def _read_prices(path: Path, settings: MarketSettings) -> "tuple[Prices, pd.DataFrame]":
    """The prices of a file, enough for the shortest return, and the sessions of the exchange in their time."""
    from ingestion.price_table import read_price_table
    from market.calendar import list_sessions
    from market.prices import DATES, read_prices

    name, shortest = f"prices {path.name}", min(settings.horizons)
    table, dates = read_price_table(path, DATES)
    known = dates.dropna()
    if known.empty:
        raise NothingMeasuredError(f"{name}: no date of {count(len(table), 'row')} can be read; write 2025-03-04")
    sessions = list_sessions(settings.calendar, known.min(), known.max())
    prices = read_prices(table, dates, sessions["session"], name, settings.price_column)
    held = prices.frame["session"].nunique()
    if held <= shortest:
        raise NothingMeasuredError(
            f"{name}: have {count(held, 'session')}, a return of {shortest} needs {shortest + 1} or more"
        )
    return prices, sessions


def _match(instruments: Sequence[str], frame: "pd.DataFrame", name: str) -> tuple[list[str], list[str]]:
    """The instruments with prices, and those without."""
    priced = set(frame["instrument"])
    with_prices = [each for each in instruments if each in priced]
    if not with_prices:
        if not instruments:
            raise NothingMeasuredError(
                "the headlines name no instrument: name their column with --instrument-column when they are ingested or"
                " scored"
            )
        raise NothingMeasuredError(
            f"prices {name}: none of the instruments of the headlines ({list_some(instruments)}) is among those of the "
            f"prices ({list_some(sorted(priced))})"
        )
    return with_prices, [each for each in instruments if each not in priced]


def _note_common_time(common: "tuple[int, time] | None", counting: int) -> Iterator[str]:
    """A note if many answers that count have one time of day, which may be that of dates without a time."""
    if common and common[0] >= max(_LEAST_ALIKE, _LEAST_SHARE * counting):
        number, at = common
        yield (
            f"{number:,} of those that count came at {at:%H:%M} UTC, and count from that time on: if they have a date "
            "and no time, give the zone in which that is midnight with --timezone, so that they count from the end of "
            "their day"
        )


def _note_other_days(prices: "Prices", calendar: str) -> Iterator[str]:
    """A note if many prices are of days without a session, as where local midnight is written in another zone."""
    from market.prices import NO_SESSION

    number = int(prices.rejected.get(NO_SESSION, 0))
    total = len(prices.frame) + int(prices.rejected.sum())
    if number >= _LEAST_SHARE * total:
        yield (
            f"{number / total:.0%} of the prices are of days on which {calendar} had no session: their dates may be "
            "those of another zone, or another --calendar may fit; give the dates of the exchange"
        )


def _describe_prices(prices: "Prices", jumps: int, matched: tuple[list[str], list[str]]) -> Iterator[str]:
    with_prices, without = matched
    missing = f"; none for {list_some(without)}" if without else ""
    yield f"prices of {count(len(with_prices), 'instrument')}{missing}"
    if len(prices.rejected):
        listed = "; ".join(f"{number:,} {reason}" for reason, number in prices.rejected.items())
        yield f"prices rejected: {listed}"
    if jumps:
        steps = count(jumps, "step of a price looks like a split", "steps of a price look like splits")
        yield (
            f"{steps}, and no return goes across one: "
            "prices adjusted for splits (column adj_close) are used where there are some"
        )

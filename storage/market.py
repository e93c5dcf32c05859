"""The tables of `fintone market`: prices and sessions in, daily sentiment out, findings kept."""

from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.promotion import Champion
from storage.named_rows import as_row, insert_frame, named_rows
from storage.warehouse import reading, utc_now, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

SELECTS = {
    "market_reaction": "SELECT * EXCLUDE (measured_at)",
    "market_quantiles": "SELECT *",
    "market_events": "SELECT *",
}
TABLES = ("markets", *(f"ledger.market_{name}" for name in ("sessions", "prices", "tests", "quantiles", "events")))


class AnswerCounts(NamedTuple):
    """Counts of answers to dated headlines: those of a cell at a temperature, or of the champions in their time."""

    dated: int
    counting: int
    in_sample: int
    not_later: int
    unknown: int
    """Those of cells of which it is unknown what they learned from, since their study was deleted."""
    before_cutoff: int
    """Those of `counting` that the base model may have read when it was pretrained."""
    trained_to: Any
    """The latest time of what the cells were trained and chosen on; None where it is unknown."""
    cells: int
    """How many cells they are of; one at two temperatures is two."""
    unanswered: int
    """Headlines that have answers, but none of the cell that was champion when they were published; 0 for a cell."""


def count_answers(warehouse: Path, cell: Champion | None) -> AnswerCounts:
    """How many headlines with a date a cell answered, or the champions in their time, and how many of them count."""
    chosen, values = _choose(cell)
    with reading(warehouse) as connection:
        [row] = connection.execute(
            "SELECT count(*), count(*) FILTER (counts), count(*) FILTER (in_sample), count(*) FILTER (NOT in_sample AND"  # noqa: S608
            " published_at <= trained_to), count(*) FILTER (NOT in_sample AND trained_to IS NULL), count(*) FILTER"
            f" (counts AND before_cutoff), max(trained_to), count(DISTINCT (cell_id, temperature)) FROM {chosen}",
            values,
        ).fetchall()
        unanswered = 0 if cell else connection.execute(_UNANSWERED).fetchall()[0][0]
    return AnswerCounts._make((*row, unanswered))


def has_former_champions(warehouse: Path, champion: Champion) -> bool:
    """Whether others than a champion have answered headlines of the time in which they were champion."""
    with reading(warehouse) as connection:
        [(found,)] = connection.execute(
            "SELECT count(*) > 0 FROM (FROM dated_answers WHERE by_champion AND (cell_id, temperature) <>"
            " ($cell_id, $temperature) LIMIT 1)",
            champion._asdict(),
        ).fetchall()
    return bool(found)


_UNANSWERED = """
    SELECT count(*) FROM (
        SELECT text, published_at
        FROM dated_answers
        GROUP BY ALL
        HAVING NOT bool_or(by_champion)
    ) AS headlines
    JOIN ledger.reigns AS reigns ON in_reign(headlines.published_at, reigned_from, reigned_until)
"""


def _choose(cell: Champion | None) -> "tuple[str, dict[str, object]]":
    """The rows of `dated_answers` for a FROM clause, and the values of its parameters."""
    if cell is None:
        return "dated_answers WHERE by_champion", {}
    return "dated_answers WHERE cell_id = $cell_id AND temperature = $temperature", cell._asdict()


def find_common_time(warehouse: Path, cell: Champion | None, timezone: str | None) -> tuple[int, time] | None:
    """The commonest time of day, UTC, of the answers that count, and their number; None if there is none.

    Midnight is left out, as a date without a time is stored: in `timezone`, or else where each headline was read.
    """
    chosen, values = _choose(cell)
    with reading(warehouse) as connection:
        found = connection.execute(
            f"SELECT count(*), published_at::TIME AS time_of_day FROM {chosen} AND counts AND"  # noqa: S608
            " (published_at AT TIME ZONE 'UTC' AT TIME ZONE coalesce($timezone, timezone))::TIME <> TIME '00:00:00'"
            " GROUP BY time_of_day ORDER BY count(*) DESC, time_of_day LIMIT 1",
            {**values, "timezone": timezone},
        ).fetchall()
    return found[0] if found else None


def list_instruments(warehouse: Path, cell: Champion | None) -> list[str]:
    """The instruments of the answers, in capitals."""
    chosen, values = _choose(cell)
    with reading(warehouse) as connection:
        rows = connection.execute(
            f"SELECT DISTINCT instrument FROM {chosen} AND instrument IS NOT NULL ORDER BY instrument",  # noqa: S608
            values,
        ).fetchall()
    return [name for (name,) in rows]


def load_horizons(warehouse: Path, market_id: str) -> list[int] | None:
    """The horizons of a measurement, in sessions; None if it was not made."""
    with reading(warehouse) as connection:
        found = connection.execute("SELECT horizons FROM markets WHERE market_id = ?", [market_id]).fetchall()
    return list(found[0][0]) if found else None


def save_market(
    warehouse: Path,
    market: "Mapping[str, object]",
    sessions: "pd.DataFrame",
    prices: "pd.DataFrame",
    measure: "Callable[[pd.DataFrame], Mapping[str, pd.DataFrame]]",
) -> None:
    """Save a measurement in place of an earlier one: prices, sessions and findings, or none of them.

    Args:
        warehouse: The DuckDB file.
        market: The row of `markets`, without the time.
        sessions: Columns session and closes_at, ascending.
        prices: Columns instrument, session and price.
        measure: Takes the sentiment of the sessions with a headline that counts: columns instrument (None: all
            headlines), session, n, sentiment and dispersion. Returns the findings as frames by `tests`, `quantiles` and
            `events`, with the columns of their tables. If it raises, the warehouse stays as it was.
    """
    with writing(warehouse) as connection:
        for table in TABLES:
            connection.execute(f"DELETE FROM {table} WHERE market_id = ?", [market["market_id"]])  # noqa: S608 (ours)
        row = {**market, "measured_at": utc_now()}
        connection.execute(f"INSERT INTO markets BY NAME {as_row(row)}", row)
        key = {"market_id": market["market_id"]}
        since = sessions.assign(since=sessions["closes_at"].shift())
        insert_frame(connection, "ledger.market_sessions", since, **key)
        insert_frame(connection, "ledger.market_prices", prices, **key)
        days = connection.execute(
            "SELECT instrument, session, n, sentiment, dispersion FROM daily_sentiment WHERE market_id = $market_id AND"
            " n > 0",
            key,
        ).df()
        for name, frame in measure(days).items():
            insert_frame(connection, f"ledger.market_{name}", frame, **key)


def load_market(warehouse: Path, market_id: str) -> dict[str, list[dict[str, Any]]]:
    """The findings of a measurement: rows of market_reaction, market_quantiles and market_events, by these names."""
    with reading(warehouse) as connection:
        return {
            name: named_rows(connection.execute(f"{select} FROM {name} WHERE market_id = ?", [market_id]))
            for name, select in SELECTS.items()
        }

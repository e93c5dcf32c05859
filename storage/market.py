"""The tables of `fintone market`: prices and sessions in, daily sentiment out, findings kept."""

from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.named_rows import named_rows
from storage.warehouse import reading, utc_now, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb
    import pandas as pd

SELECTS = {
    "market_reaction": "SELECT * EXCLUDE (measured_at)",
    "market_quantiles": "SELECT *",
    "market_events": "SELECT *",
}
TABLES = ("markets", *(f"ledger.market_{name}" for name in ("sessions", "prices", "tests", "quantiles", "events")))


class AnswerCounts(NamedTuple):
    """Counts of a cell's answers to dated headlines at a temperature."""

    dated: int
    counting: int
    in_sample: int
    not_later: int
    before_cutoff: int
    """Those of `counting` that the base model may have read when it was pretrained."""
    trained_to: Any
    """The latest time of what the cell was trained and chosen on; None where it is unknown."""


def count_answers(warehouse: Path, cell_id: str, temperature: float) -> AnswerCounts:
    """How many headlines with a date a cell answered, and how many of them count."""
    with reading(warehouse) as connection:
        [row] = connection.execute(
            "SELECT count(*), count(*) FILTER (counts), count(*) FILTER (in_sample), count(*) FILTER (NOT in_sample AND"
            " NOT counts), count(*) FILTER (counts AND before_cutoff), max(trained_to) FROM dated_answers"
            " WHERE cell_id = ? AND temperature = ?",
            [cell_id, temperature],
        ).fetchall()
    return AnswerCounts(*row)


def find_common_time(
    warehouse: Path, cell_id: str, temperature: float, timezone: str | None
) -> tuple[int, time] | None:
    """The commonest time of day, UTC, of a cell's answers that count, and their number; None if there is none.

    Midnight is left out, as a date without a time is stored: in `timezone`, or else where each headline was read.
    """
    with reading(warehouse) as connection:
        found = connection.execute(
            "SELECT count(*), published_at::TIME AS time_of_day FROM dated_answers WHERE cell_id = $cell_id AND"
            " temperature = $temperature AND counts AND"
            " (published_at AT TIME ZONE 'UTC' AT TIME ZONE coalesce($timezone, timezone))::TIME <> TIME '00:00:00'"
            " GROUP BY time_of_day ORDER BY count(*) DESC, time_of_day LIMIT 1",
            {"cell_id": cell_id, "temperature": temperature, "timezone": timezone},
        ).fetchall()
    return found[0] if found else None


def list_instruments(warehouse: Path, cell_id: str, temperature: float) -> list[str]:
    """The instruments of a cell's answers, in capitals."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT DISTINCT instrument FROM dated_answers WHERE cell_id = ? AND temperature = ? AND instrument IS NOT"
            " NULL ORDER BY instrument",
            [cell_id, temperature],
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
        connection.execute(
            "INSERT INTO markets BY NAME SELECT "
            + ", ".join(f"${name} AS {name}" for name in [*market, "measured_at"]),
            {**market, "measured_at": utc_now()},
        )
        connection.register("new_sessions", sessions.assign(since=sessions["closes_at"].shift()))
        connection.register("new_prices", prices)
        key = {"market_id": market["market_id"]}
        connection.execute(
            "INSERT INTO ledger.market_sessions BY NAME SELECT $market_id AS market_id, * FROM new_sessions", key
        )
        connection.execute(
            "INSERT INTO ledger.market_prices BY NAME SELECT $market_id AS market_id, * FROM new_prices", key
        )
        days = connection.execute(
            "SELECT instrument, session, n, sentiment, dispersion FROM daily_sentiment WHERE market_id = $market_id AND"
            " n > 0",
            key,
        ).df()
        for name, frame in measure(days).items():
            connection.register("found", frame)
            connection.execute(
                f"INSERT INTO ledger.market_{name} BY NAME SELECT $market_id AS market_id, * FROM found",  # noqa: S608
                key,
            )
            connection.unregister("found")


def load_market(warehouse: Path, market_id: str) -> dict[str, list[dict[str, Any]]]:
    """The findings of a measurement: rows of market_reaction, market_quantiles and market_events, by these names."""
    with reading(warehouse) as connection:
        return {name: _read_rows(connection, f"{select} FROM {name}", market_id) for name, select in SELECTS.items()}


def _read_rows(connection: "duckdb.DuckDBPyConnection", select: str, market_id: str) -> list[dict[str, Any]]:
    return named_rows(connection.execute(f"{select} WHERE market_id = ?", [market_id]))

"""Views of a measurement: the sentiment of each session, worked out by hand, and the order of the findings."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from storage.cells import add_cells
from storage.market import save_market
from storage.warehouse import writing
from tests.asking import ask
from tests.reigns import answer, decide

SESSIONS = pd.DataFrame(
    {
        "session": [date(2026, 1, day) for day in (5, 6, 7)],
        "closes_at": pd.to_datetime(["2026-01-05 21:00", "2026-01-06 21:00", "2026-01-07 18:00"]),
    }
)
MEASURES = ("rank correlation", "sentiment", "dispersion", "volume", "sentiment before", "return before")
COLUMNS = "session, instrument, n, sentiment, dispersion, n_in_sample, n_not_later, n_before_cutoff, price"


def days_at(moment: str) -> float:
    """Days from the first of January 2026 to a moment."""
    return (pd.Timestamp(moment) - pd.Timestamp("2026-01-01")) / pd.Timedelta(days=1)


@pytest.fixture
def learned(finished: Path) -> Path:
    """The cell learned from headlines until the tenth hour of January 6, and the test headlines have no date."""
    with writing(finished) as connection:
        connection.execute(
            "UPDATE headlines SET published_at = TIMESTAMP '2026-01-06 10:00' WHERE headline_id IN"
            " (SELECT headline_id FROM splits WHERE part <> 'test')"
        )
    return finished


def measure(warehouse: Path, findings: dict[str, pd.DataFrame] | None = None, **changes: Any) -> list[tuple[Any, ...]]:
    """Save a measurement with prices of one instrument; the daily sentiment, that of all instruments last."""
    market = {
        "market_id": "market",
        "prices": "prices.csv",
        "location": "/prices.csv",
        "price_column": "close",
        "calendar": "XNYS",
        "timezone": "UTC",
        "horizons": [1],
        "cell_id": "tuned",
        "temperature": 0.1,
        "prices_used": 1,
        "rows_rejected": 0,
        "jumps": 0,
    } | changes
    prices = pd.DataFrame({"instrument": ["NWD"], "session": [date(2026, 1, 6)], "price": [12.5]})
    save_market(warehouse, market, SESSIONS, prices, lambda days: findings or {})
    return ask(warehouse, f"SELECT {COLUMNS} FROM daily_sentiment ORDER BY session, instrument NULLS LAST")


def test_a_headline_belongs_to_the_first_session_that_closes_at_or_after_it_is_known(learned: Path) -> None:
    """The first session has no beginning, and nothing is known of what follows the last one."""
    moments = {
        "too early": "2026-01-05 20:00",
        "at the first close": "2026-01-05 21:00",
        "at the close": "2026-01-06 21:00",
        "after the close": "2026-01-06 21:00:01",
        "a date, known at its end": "2026-01-06",
        "a date after which nothing closes": "2026-01-07",
        "at the last close": "2026-01-07 18:00",
        "too late": "2026-01-07 18:00:01",
    }
    answer(learned, "tuned", *((text, days_at(moment), None) for text, moment in moments.items()))
    # Each session with the headlines that count, and those that are not later than what the cell learned from.
    assert [(row[0].day, row[1], row[2], row[6]) for row in measure(learned)] == [(6, None, 1, 0), (7, None, 2, 1)]


def test_a_date_without_a_time_is_midnight_in_the_zone_of_the_measurement(learned: Path) -> None:
    """One is known when that day has ended, which is after the last session."""
    answer(learned, "tuned", ("midnight in New York", days_at("2026-01-07 05:00"), None))
    answer(learned, "tuned", ("midnight in Greenwich", days_at("2026-01-07"), None), source="b", p_positive=0.2)
    seventh = date(2026, 1, 7)
    assert [row[:4] for row in measure(learned)] == [(seventh, None, 1, pytest.approx(0.6))]
    in_new_york = measure(learned, timezone="America/New_York")
    assert [row[:4] for row in in_new_york] == [(seventh, None, 1, pytest.approx(0.1))]


def test_only_what_is_later_than_all_that_the_cell_learned_from_counts(learned: Path, cell: Callable[..., Any]) -> None:
    add_cells(learned, "study", [cell(trained_until=date(2026, 1, 6))])
    answer(
        learned,
        "tuned",
        ("earlier", days_at("2026-01-06 09:00"), None, "NWD"),
        ("nearly as late", days_at("2026-01-06 09:59"), None, "NWD"),
        ("as late", days_at("2026-01-06 10:00"), None, "NWD"),
        ("trained on, earlier", days_at("2026-01-06 09:30"), None, "NWD"),
        ("trained on, later", days_at("2026-01-06 11:30"), None, "NWD"),
        ("later", days_at("2026-01-06 11:00"), None, "NWD"),
        ("after the cutoff", days_at("2026-01-07 11:00"), None, "nwd "),
    )
    answer(learned, "tuned", ("doubtful", days_at("2026-01-06 12:00"), None, "NWD"), source="b", p_positive=0.2)
    answer(learned, "tuned", ("of no instrument", days_at("2026-01-06 12:00"), None), source="c", p_positive=0.4)
    with writing(learned) as connection:
        connection.execute("UPDATE ledger.scored_rows SET in_sample = true WHERE text_id LIKE 'trained on%'")
    sixth, seventh = date(2026, 1, 6), date(2026, 1, 7)
    sure, doubtful, other = 0.6, 0.1, 0.3  # p_positive less p_negative
    of_all = (sure + doubtful + other) / 3
    spread = (((sure - of_all) ** 2 + (doubtful - of_all) ** 2 + (other - of_all) ** 2) / 2) ** 0.5
    assert measure(learned) == [
        (sixth, "NWD", 2, pytest.approx(0.35), pytest.approx((2 * 0.25**2) ** 0.5), 2, 3, 2, 12.5),
        (sixth, None, 3, pytest.approx(of_all), pytest.approx(spread), 2, 3, 3, None),
        (seventh, "NWD", 1, pytest.approx(sure), None, 0, 0, 0, None),
        (seventh, None, 1, pytest.approx(sure), None, 0, 0, 0, None),
    ]


def test_other_cells_and_other_temperatures_are_left_out(learned: Path) -> None:
    answer(learned, "tuned", ("later", days_at("2026-01-06 11:00"), None))
    answer(learned, "base", ("of another", days_at("2026-01-06 12:00"), None))
    assert [row[2] for row in measure(learned)] == [1]
    assert measure(learned, temperature=1.0) == []


def test_each_headline_has_the_answer_of_the_champion_of_its_time(learned: Path) -> None:
    decide(learned, "promoted", "tuned", 4)
    decide(learned, "promoted", "base", 6)
    for cell_id, p_positive in (("tuned", 0.7), ("base", 0.2)):
        moments = days_at("2026-01-06 11:00"), days_at("2026-01-07 11:00")
        rows = [(f"at {moment}", moment, None) for moment in moments]
        answer(learned, cell_id, *rows, source=f"news {cell_id}", p_positive=p_positive)
    found = measure(learned, cell_id=None, temperature=None)
    assert [(row[0].day, row[2], row[3]) for row in found] == [
        (6, 1, pytest.approx(0.6)),
        (7, 1, pytest.approx(0.1)),
    ]


def test_findings_are_in_the_order_of_their_scope_instrument_horizon_and_measure(learned: Path) -> None:
    ordered = [
        (scope, instrument, horizon, name)
        for scope, instrument in (("panel", None), ("overall", None), ("instrument", "AAA"), ("instrument", "BBB"))
        for horizon in (1, 5)
        for name in MEASURES
    ]
    rows = Random(1).sample(ordered, len(ordered))
    tests = pd.DataFrame(rows, columns=["scope", "instrument", "horizon", "measure"])
    measure(learned, {"tests": tests.assign(days=9, sessions=9)})
    assert ask(learned, "SELECT scope, instrument, horizon, measure FROM market_reaction") == ordered

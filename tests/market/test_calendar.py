"""The sessions of real exchanges, as the library lists them."""

from datetime import date

import pandas as pd
import pytest

from market.calendar import CalendarError, list_sessions


def test_a_short_day_closes_early_and_a_holiday_is_no_session() -> None:
    sessions = list_sessions("XNYS", date(2024, 11, 25), date(2024, 12, 2)).set_index("session")["closes_at"]
    assert pd.Timestamp("2024-11-28") not in sessions.index
    assert sessions["2024-11-29"] == pd.Timestamp("2024-11-29 18:00")
    assert sessions["2024-11-27"] == pd.Timestamp("2024-11-27 21:00")


def test_summer_time_moves_the_close() -> None:
    closes = list_sessions("XNYS", date(2024, 3, 8), date(2024, 3, 11)).set_index("session")["closes_at"]
    assert [closes["2024-03-08"].hour, closes["2024-03-11"].hour] == [21, 20]


def test_sessions_reach_beyond_the_prices_on_both_sides() -> None:
    sessions = list_sessions("24/7", date(2024, 1, 10), date(2024, 1, 10))["session"]
    assert sessions.min() < pd.Timestamp("2024-01-01")
    assert sessions.max() > pd.Timestamp("2024-01-20")


def test_a_missing_library_is_reported_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.calendar.find_spec", lambda name: None if name == "statsmodels" else object())
    with pytest.raises(CalendarError, match=r"market: needs statsmodels: pip install 'fintone\[market\]'"):
        list_sessions("XNYS", date(2024, 1, 10), date(2024, 1, 11))


def test_an_unknown_calendar_is_refused_with_examples_of_known_ones() -> None:
    with pytest.raises(CalendarError, match=r"'NYSE2': no exchange has this code; XNYS is New York"):
        list_sessions("NYSE2", date(2024, 1, 10), date(2024, 1, 11))

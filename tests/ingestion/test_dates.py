"""Words for dates and times: which are read, in which zone, and when day and month cannot be told apart."""

import pandas as pd
import pytest

from ingestion.dates import DateOrderError, find_order, parse_dates

EVENING = "2025-01-02 21:30:00"


def parse(*words, timezone="UTC", order=None):
    times = parse_dates(pd.Series(words, dtype="str"), timezone, order)
    return [None if pd.isna(time) else str(time) for time in times]


@pytest.mark.parametrize(
    "word",
    [
        "2025-01-02 21:30",
        "2025-01-02T21:30:00Z",
        "2025-01-02 16:30:00-05:00",
        "20250102T213000",
        "2025/1/2 9:30 pm",
        "Jan 2, 2025 9:30 PM",
        "2 January 2025 21:30",
        "Thu, 02 Jan 2025 21:30:00 GMT",
        "Thu, 02 Jan 2025 16:30:00 -0500 (EST)",
        "Thu Jan 02 2025 22:30:00 GMT+0100 (CET)",
        "Jan 2 2025 4:30 p.m. EST",
        "01/02/2025 21:30:00",
        "9:30 PM, 01/02/2025",
        "1735853400",
        "1735853400000",
        "1735853400.0",
    ],
)
def test_a_word_of_any_common_form_is_a_time(word):
    assert parse(word, order="mdy") == [EVENING]


@pytest.mark.parametrize(
    "word", ["2025", "March 2025", "July 4", "10", "yesterday", "Q3 2008", "2025-02-30", "31/31/2025", "at 01/02/2025"]
)
def test_what_is_not_a_whole_date_is_none(word):
    assert parse(word, order="dmy") == [None]


def test_words_of_several_forms_are_read_in_one_column():
    words = ["2025-01-02", "Jan 2, 2025", "2 January 2025", "02-Jan-25", "nothing", "2025-01-02"]
    day = "2025-01-02 00:00:00"
    assert parse(*words) == [day, day, day, day, None, day]


def test_a_time_without_a_zone_is_in_the_zone_of_the_settings_also_in_summer():
    words = ["2025-01-02 16:30", "2025-07-02 17:30", "2025-01-02 21:30Z"]
    assert parse(*words, timezone="America/New_York") == [EVENING, "2025-07-02 21:30:00", EVENING]


def test_an_hour_that_a_clock_shows_twice_is_the_first_and_one_that_it_skips_the_next():
    words = ["2025-11-02 01:30", "2025-03-09 02:30"]
    assert parse(*words, timezone="America/New_York") == ["2025-11-02 05:30:00", "2025-03-09 07:00:00"]


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (["03/04/2025", "13/04/2025"], "dmy"),
        (["03/04/2025", "04/13/2025"], "mdy"),
        (["25-12-31"], "ymd"),
        (["31/12/24", "01/02/24"], "dmy"),
        (["05/05/2025"], "dmy"),
        (["13/04/2025", "99/99/2025"], "dmy"),
        (["03.04.2025", "05.06.2025"], "dmy"),  # nobody writes a month first with points
        (["03.13.2025"], "mdy"),
    ],
)
def test_the_order_is_the_one_that_fits_the_whole_column(dates, order):
    assert find_order(dates) == order


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (["03/04/2025"], "'03/04/2025' may be dmy or mdy"),
        (["13/04/2025", "04/13/2025"], "some are day first, as '13/04/2025', and some month first, as '04/13/2025'"),
    ],
)
def test_an_order_that_cannot_be_found_is_reported_with_an_example(dates, message):
    with pytest.raises(DateOrderError, match=message):
        find_order(dates)


def test_the_order_of_the_settings_leaves_no_choice():
    assert parse("03/04/2025", "13/04/2025", order="mdy") == ["2025-03-04 00:00:00", None]


@pytest.mark.parametrize("form", ["%m/%d/%Y %H:%M:%S", "%b %d, %Y %I:%M %p"])
def test_a_large_column_is_parsed_by_few_formats_and_not_word_by_word(form, monkeypatch):
    monkeypatch.setattr("ingestion.dates._parse_one", lambda word: pytest.fail(f"{word} was parsed on its own"))
    times = pd.Series(pd.date_range("2000-01-01", periods=20_000, freq="61min")).dt.floor("min")
    assert (parse_dates(times.dt.strftime(form), "UTC", None) == times).all()

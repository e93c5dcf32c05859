"""Words for dates and times: which are read, in which zone, and when day and month cannot be told apart."""

import time

import pandas as pd
import pytest

from ingestion.date_order import DateOrderError, find_order
from ingestion.dates import list_dates, parse_dates

EVENING = "2025-01-02 21:30:00"


def parse(*words, timezone="UTC", order=None):
    times = parse_dates(pd.Series(words, dtype="str"), timezone, order).times
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
        "Thu Jan 02 21:30:00 UTC 2025",
        "Thu Jan  2 16:30:00 EST 2025",
        "Thu Jan 02 21:30:00 +0000 2025",
        "2 Jan 21:30 2025",
        "01/02/2025 21:30:00",
        "1 / 2 / 2025 21:30",
        "1. 2. 2025 21:30",
        "01 02 2025 21:30",
        "20250102213000",
        "9:30 PM, 01/02/2025",
        "1735853400",
        "1735853400000",
        "1735853400.0",
    ],
)
def test_a_word_of_any_common_form_is_a_time(word):
    assert parse(word, order="mdy") == [EVENING]


@pytest.mark.parametrize(
    "word",
    ["2025", "March 2025", "July 4", "10", "yesterday", "Q3 2008", "2025-02-30", "31/31/2025", "at 01/02/2025"],
)
def test_what_is_not_a_whole_date_is_none(word):
    assert parse(word, order="dmy") == [None]


@pytest.mark.parametrize(
    "word",
    ["2025-03-04 - 2025-03-06", "4 March 2025 - 6 March 2025", "4-6 March 2025", "Tue Mar 04 10:00:00 IST 2025"],
)
def test_a_range_of_days_and_an_unknown_zone_are_none(word):
    assert parse(word) == [None]


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
    ("dates", "order"),
    [
        (["03/04/2025"], "mdy"),
        (["13/04/2025"], "dmy"),
        (["03.04.2025"], "dmy"),  # in another notation than the source whose order is likely
        (["2025-03-04", "soon"], None),
    ],
)
def test_a_likely_order_is_chosen_only_where_the_dates_leave_a_choice(dates, order):
    assert parse_dates(pd.Series(dates, dtype="str"), "UTC", None, "mdy").order == order


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (["03/04/2025"], "'03/04/2025' may be dmy or mdy"),
        (["13/04/2025", "04/13/2025"], "some are day first, as '13/04/2025', and some month first, as '04/13/2025'"),
        (["99/12/31", "12/31/99"], "some are year first, as '99/12/31', and some month first, as '12/31/99'"),
    ],
)
def test_an_order_that_cannot_be_found_is_reported_with_an_example(dates, message):
    with pytest.raises(DateOrderError, match=message):
        find_order(dates)
    with pytest.raises(DateOrderError, match=message):
        find_order(dates, "ymd")


def test_the_order_of_the_settings_leaves_no_choice():
    assert parse("03/04/2025", "13/04/2025", order="mdy") == ["2025-03-04 00:00:00", None]


def test_two_digits_from_69_on_are_years_of_the_20th_century():
    words = ("31/12/69", "31-12-68", "01.01.00", "01/01/99")
    years = ["1969-12-31", "2068-12-31", "2000-01-01", "1999-01-01"]
    assert parse(*words, order="dmy") == [f"{day} 00:00:00" for day in years]


@pytest.mark.parametrize("form", ["%m/%d/%Y %H:%M:%S", "%b %d, %Y %I:%M %p"])
def test_a_large_column_is_parsed_by_few_formats_and_not_word_by_word(form, monkeypatch):
    monkeypatch.setattr("ingestion.dates._parse_one", lambda word: pytest.fail(f"{word} was parsed on its own"))
    times = pd.Series(pd.date_range("2000-01-01", periods=20_000, freq="61min")).dt.floor("min")
    assert (parse_dates(times.dt.strftime(form), "UTC", None).times == times).all()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York", "Europe/Berlin", "UTC"])
def test_the_zone_of_the_machine_changes_no_time(zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    words = [f"Tue, 04 Mar 2025 10:00:00 {name}" for name in ("UTC", "EST", "CET", "IST")]
    words += ["Tue Mar 04 10:00:00 EST 2025", "March 4th 2025 at 10:00 CET"]
    try:
        times = parse(*words)
    finally:
        monkeypatch.undo()
        time.tzset()
    utc, est, cet = (f"2025-03-04 {hour:02}:00:00" for hour in (10, 15, 9))
    assert times == [utc, est, cet, None, est, cet]


def test_one_order_counts_for_all_ways_to_write_a_numeric_date():
    words = ["1. 4. 2025", "Tue 13/04/2025", "10:30 2/4/2025", "3 4 2025"]
    assert list(list_dates([*words, "2025-04-13", "Apr 13 2025"])) == ["1.4.2025", "13/04/2025", "2/4/2025", "3/4/2025"]
    assert {word[:7] for word in parse(*words)} == {"2025-04"}

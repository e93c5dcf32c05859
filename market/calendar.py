"""The sessions of an exchange, from exchange_calendars: their closing times decide which headlines each has seen."""

import warnings
from datetime import date
from importlib.util import find_spec

import pandas as pd

from schemas.errors import InputError
from schemas.reasons import describe_reason

MARGIN = pd.Timedelta(days=15)
"""Days around the prices whose sessions are needed as well: no exchange is shut for longer."""


class CalendarError(InputError):
    """There is no such calendar, it does not know the days, or a library is not installed."""


def list_sessions(name: str, first: date, last: date) -> pd.DataFrame:
    """The sessions from a little before the first day to a little after the last.

    Args:
        name: A code of exchange_calendars, such as XNYS, XETR or 24/7.
        first: The first day that matters.
        last: The last one.

    Returns:
        Columns session (a date, at midnight) and closes_at (UTC, without a zone), ascending.

    Raises:
        CalendarError: There is no such calendar, or a library of the extra `market` is not installed.
    """
    missing = [library for library in ("exchange_calendars", "statsmodels") if find_spec(library) is None]
    if missing:
        raise CalendarError(f"market: needs {' and '.join(missing)}: pip install 'fintone[market]'")
    from exchange_calendars import get_calendar, get_calendar_names
    from exchange_calendars.errors import CalendarError as UnknownCalendarError

    begin, end = pd.Timestamp(first) - MARGIN, pd.Timestamp(last) + MARGIN
    try:
        with warnings.catch_warnings(action="ignore"):  # from pandas, about calls of the library
            calendar = get_calendar(name, start=begin, end=end)
            closes, sessions = pd.DatetimeIndex(calendar.closes), pd.DatetimeIndex(calendar.sessions)
    except (UnknownCalendarError, ValueError) as error:
        if name not in get_calendar_names():
            raise CalendarError(
                f"calendar {name!r}: no exchange has this code; XNYS is New York, XLON London, XETR Frankfurt, 24/7 "
                "has every day; the others are in the documentation of exchange_calendars"
            ) from error
        raise CalendarError(f"calendar {name!r}: {describe_reason(error)}") from error
    columns = {"session": sessions.tz_localize(None), "closes_at": closes.tz_convert("UTC").tz_localize(None)}
    return pd.DataFrame({name: times.as_unit("us") for name, times in columns.items()})

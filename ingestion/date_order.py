"""The order of day, month and year in numeric dates such as 03/04/2025, as all dates of a source show it."""

import re
from collections.abc import Sequence
from datetime import datetime

from schemas.source import DateOrder

ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")
_FIRST = {"d": "day", "m": "month", "y": "year"}
_CENTURY = 69
"""Two digits from here on are years of the 20th century, as in POSIX."""


class DateOrderError(ValueError):
    """The order of day, month and year cannot be found from the words."""


def find_order(dates: Sequence[str], likely: DateOrder | None = None) -> DateOrder:
    """The order that fits all numeric dates, such as 03/04/2025; one whose years are not in the future is preferred.

    In dates with points the day is first if that fits, as it is wherever points are used. Of several other orders it is
    the likely one, if one is given.

    Raises:
        DateOrderError: Several orders fit all of them, or none does.
    """
    fits = {order: {date: iso for date in dates if (iso := year_first(date, order))} for order in ORDERS}
    most = max(map(len, fits.values()))
    if most < len(set().union(*fits.values())):
        some = (
            f"{_FIRST[one[0]]} first, as {next(date for date in fits[one] if date not in fits[other])!r}"
            for one, other in _rivals(fits)
        )
        raise DateOrderError("some are " + ", and some ".join(some))
    best = [order for order in ORDERS if len(fits[order]) == most]
    latest = f"{datetime.now().year}-99"  # noqa: DTZ005 (a day more or less does not matter)
    best = [order for order in best if max(fits[order].values(), default="") < latest] or best
    if "dmy" in best and all("." in date for date in dates):
        return "dmy"
    if likely in best:
        return likely
    if len({tuple(fits[order].items()) for order in best}) > 1:
        raise DateOrderError(f"{dates[0]!r} may be {' or '.join(best)}")
    return best[0]


def _rivals(fits: dict[DateOrder, dict[str, str]]) -> tuple[tuple[DateOrder, DateOrder], ...]:
    """Two orders that each fit dates which the other does not, as pairs in both directions."""
    pairs: list[tuple[DateOrder, DateOrder]] = [("dmy", "mdy"), ("ymd", "mdy"), ("dmy", "ymd")]
    one, other = next(
        pair for pair in pairs if fits[pair[0]].keys() - fits[pair[1]] and fits[pair[1]].keys() - fits[pair[0]]
    )
    return (one, other), (other, one)


def year_first(date: str, order: DateOrder) -> str | None:
    """A numeric date as `2025-03-04`; None if the order gives an impossible month or day, or its year is elsewhere."""
    numbers = [int(number) for number in re.split(r"[-/.]", date)]
    digits = len(re.split(r"[-/.]", date)[2])
    year, month, day = (numbers[order.index(part)] for part in "ymd")
    if digits == 2:  # noqa: PLR2004
        year += 1900 if year >= _CENTURY else 2000
    elif order == "ymd":
        return None
    is_date = 1 <= month <= 12 and 1 <= day <= 31  # noqa: PLR2004
    return f"{year:04d}-{month:02d}-{day:02d}" if is_date else None

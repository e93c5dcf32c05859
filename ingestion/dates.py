"""Parses words for dates and times of any common form into times in UTC, a column at once."""

import re
import warnings
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

import pandas as pd

from ingestion.date_order import ORDERS, DateOrderError, find_order, year_first
from schemas.source import DateOrder

_MOST_FORMATS = 50
_STRIDE = 7_919
"""This many formats are guessed, from words that are this far apart; words of other formats are parsed one by one."""
_DEFAULTS = (datetime(2000, 1, 1), datetime(2001, 2, 2))  # noqa: DTZ001 (the words have the zones)
"""Defaults for the missing parts of a date: a word that is not a whole date gives two different dates."""
_ZONES = {
    "UTC": "+0000",
    "GMT": "+0000",
    "UT": "+0000",
    "EST": "-0500",
    "EDT": "-0400",
    "CST": "-0600",
    "CDT": "-0500",
    "MST": "-0700",
    "MDT": "-0600",
    "PST": "-0800",
    "PDT": "-0700",
    "CET": "+0100",
    "CEST": "+0200",
    "BST": "+0100",
}
"""Zones that words may name: those of RFC 2822, and of Europe."""
_NUMBERS = r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
"""A numeric date: three numbers, of which the year is last or has two digits."""
_WITHIN = rf"(?:^|\D){_NUMBERS}(?:$|\D)"
_BEGINS = re.compile(rf"({_NUMBERS})(?:$|\D)")
_HAS_NUMBERS = re.compile(r"(?<!\d)\d{1,2} ?[-/. ] ?\d{1,2} ?[-/. ] ?\d{2}")
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?: [AP]M)?"
_DAY_OF_MONTH = r"[A-Za-z]{3,9}\.? \d{1,2}|\d{1,2} [A-Za-z]{3,9}\.?"
_TIDIED = (
    (r"\s+", " "),
    (r"(?i)^(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?\b[.,]? ?", ""),
    (r"(?i)(\d) ?a\.?m\b\.?", r"\1 AM"),
    (r"(?i)(\d) ?p\.?m\b\.?", r"\1 PM"),
    (r"([+-]\d{4}) ?\([A-Za-z ]+\)$", r"\1"),
    (r"\b(?:GMT|UTC)([+-]\d)", r"\1"),
    (rf"^({_DAY_OF_MONTH}) ({_CLOCK}(?: [A-Z]{{2,5}}| [+-]\d{{4}})?) (\d{{4}})$", r"\1 \3 \2"),
    (r"^(\d{1,2}) ?([-/.]) ?(\d{1,2}) ?([-/.]) ?(\d{4}|\d{2})\b", r"\1\2\3\4\5"),
    (r"^(\d{1,2}) (\d{1,2}) (\d{4}|\d{2})\b", r"\1/\2/\3"),
    (rf"^({_CLOCK}),? ({_NUMBERS})$", r"\2 \1"),
)
"""Patterns in RE2's syntax and what replaces them.

They concern blanks, weekdays, half-days, comments, a time before the year, spaces between numbers, and a leading time.
"""
_SINCE_1970 = r"^(?:1\d{9}(?:\d{3}){0,3}|\d{9})(?:\.\d+)?$"
"""Seconds since 1970, or thousandths, millionths or thousand-millionths of them."""
_ISO = (
    r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z| ?[+-]\d{2}(?::?\d{2})?)?)?$"
    r"|^(?:19|20)\d{6}(?:T\d{4}(?:\d{2})?(?:Z|[+-]\d{4})?)?$"
)
_UNAMBIGUOUS = (
    r"(?i)(?:^|[^a-z])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"|(?:^|[ T,])(?:19|20)\d{2}[-/. ]?\d{1,2}[-/. ]?\d"
)
"""A month has a name, or the year comes first: nothing else may be read by a format that is guessed."""
_SEVERAL = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*\d{4}[-/.]\d"
_HAS_ZONE = r"[T:]\d{2,6}(?:[.,]\d+)?(?:Z| ?[+-]\d{2}(?::?\d{2})?)$"


class ParsedDates(NamedTuple):
    """Words as times."""

    times: pd.Series
    """Times in UTC, without a zone, in microseconds; NaT for a word that is not a date with day, month and year."""
    order: DateOrder | None
    """The order of numeric dates, such as 03/04/2025, given or found; None where none is given and no word has one."""


def parse_dates(
    words: pd.Series, timezone: str, order: DateOrder | None, likely: DateOrder | None = None
) -> ParsedDates:
    """Parse words for dates and times.

    Args:
        words: The words; none is missing.
        timezone: The zone of words that name none.
        order: The order of numeric dates; found from all words if None.
        likely: The order that is chosen if it and others fit all words.

    Raises:
        DateOrderError: Several orders fit all words, or none does.
    """
    codes, distinct = pd.factorize(words)
    plain = pd.Series(distinct, dtype="str").str.strip()
    is_tidy = plain.str.contains(_ISO, regex=True) & ~plain.str.contains(_WITHIN, regex=True)
    if not is_tidy.all():
        tidied = _tidy(plain[~is_tidy])
        numeric = _find_numeric(tidied)
        dates = numeric.dropna().unique().tolist()
        order = order or (find_order(dates, likely) if dates else None)
        plain = plain.mask(~is_tidy, _put_year_first(tidied, numeric, order))
    times = _parse_tidy(plain, timezone)
    return ParsedDates(times.take(codes).set_axis(words.index), order)


def list_dates(words: Iterable[str]) -> Iterator[str]:
    """The numeric dates in words, such as 03/04/2025, whose order must be found; the same as `parse_dates` finds."""
    numeric = (word for word in words if not word[:4].isdigit() and _HAS_NUMBERS.search(word))
    tidied = map(_tidy_word, numeric)
    return (found[1] for word in tidied if (found := _BEGINS.match(word)))


@lru_cache(maxsize=8)
def count_dates(words: tuple[str, ...]) -> int:
    """How many words are dates in the order that fits most.

    The layout of one source asks for the same words several times, and to parse even a few takes 20 ms.
    """
    column = pd.Series(words, dtype="str")
    try:
        return int(parse_dates(column, "UTC", None).times.count())
    except DateOrderError:
        return max(int(parse_dates(column, "UTC", order).times.count()) for order in ORDERS)


def _tidy_word(word: str) -> str:
    """A word with the replacements of `_TIDIED`."""
    word = word.strip()
    for pattern, replacement in _TIDIED:
        word = re.sub(pattern, replacement, word)
    return word


def _tidy(plain: pd.Series) -> pd.Series:
    """Words in fewer forms: with the replacements of `_TIDIED`, and zones as their offsets."""
    for pattern, replacement in _TIDIED:
        plain = plain.str.replace(pattern, replacement, regex=True)
    names_zone = plain.str.contains(rf"[\dM] ?\(?(?:{'|'.join(_ZONES)})\)?$", regex=True)
    zoned = plain[names_zone]
    for zone, offset in _ZONES.items() if len(zoned) else ():
        zoned = zoned.str.replace(rf"([\dM]) ?\(?{zone}\)?$", rf"\1 {offset}", regex=True)
    return plain.mask(names_zone, zoned)


def _find_numeric(plain: pd.Series) -> pd.Series:
    """The numeric date at the start of each word; missing where there is none."""
    return plain.str.extract(rf"^({_NUMBERS})(?:$|\D)", expand=False)


def _put_year_first(plain: pd.Series, numeric: pd.Series, order: DateOrder | None) -> pd.Series:
    """Words with their numeric dates rewritten; empty if the order does not fit, or such a date is not at the start."""
    if order is not None:
        iso = numeric.map({date: year_first(date, order) or "" for date in numeric.dropna().unique()}).astype("str")
        rest = plain.str.replace(rf"^{_NUMBERS}", "", regex=True)
        plain = plain.where(numeric.isna(), (iso + rest).where(iso != "", ""))
    return plain.mask(plain.str.contains(_WITHIN, regex=True), "")


def _parse_tidy(plain: pd.Series, timezone: str) -> pd.Series:
    times = pd.Series(pd.NaT, index=plain.index, dtype="datetime64[us]")
    is_iso = plain.str.contains(_ISO, regex=True)
    others = plain[~is_iso]
    iso = plain[is_iso].str.replace(",", ".", regex=False)
    has_zone = iso.str.contains(_HAS_ZONE, regex=True)
    for part, is_zoned in ((iso[has_zone], True), (iso[~has_zone], False)):
        times[part.index] = _convert(part, "ISO8601", timezone, is_zoned=is_zoned)
    if others.empty:
        return times
    is_number = others.str.contains(_SINCE_1970, regex=True)
    numbers = _parse_numbers(others[is_number])
    times[numbers.index] = numbers
    is_certain = others.str.contains(_UNAMBIGUOUS, regex=True) & ~others.str.contains(_SEVERAL, regex=True)
    rest = _parse_by_formats(others[~is_number & is_certain], times, timezone)
    parsed = pd.Series([_parse_one(word) for word in rest], index=rest.index, dtype="object").dropna()
    has_zone = pd.Series([time.tzinfo is not None for time in parsed], index=parsed.index, dtype="bool")
    for part, is_zoned in ((parsed[has_zone], True), (parsed[~has_zone], False)):
        times[part.index] = _convert(part, None, timezone, is_zoned=is_zoned)
    return times


def _parse_numbers(numbers: pd.Series) -> pd.Series:
    """Times from numbers since 1970; the number of digits gives the unit."""
    digits = numbers.str.extract(r"^(\d+)", expand=False).str.len()
    values = pd.to_numeric(numbers) * 10.0 ** (16 - digits.clip(lower=10).astype("float64"))
    return pd.to_datetime(values.round().astype("int64"), unit="us").astype("datetime64[us]")


def _parse_by_formats(rest: pd.Series, times: pd.Series, timezone: str) -> pd.Series:
    """Fill in `times` by formats that are guessed from some words; returns the words that are left."""
    from pandas.tseries.api import guess_datetime_format

    for attempt in range(_MOST_FORMATS):
        if rest.empty:
            break
        with warnings.catch_warnings(action="ignore"):
            found = guess_datetime_format(rest.iloc[attempt * _STRIDE % len(rest)])
        if found and _is_whole(found):
            parsed = _convert(rest, found, timezone, is_zoned="%z" in found).dropna()
            times[parsed.index] = parsed
            rest = rest.drop(parsed.index)
    return rest


def _is_whole(found: str) -> bool:
    """Whether a format has day, month and year, and no name of a zone, which pandas reads by the machine's own."""
    return (
        "%Z" not in found
        and "%d" in found
        and "%y" in found.lower()
        and any(month in found for month in ("%m", "%b", "%B"))
    )


def _convert(words: pd.Series, form: str | None, timezone: str, *, is_zoned: bool) -> pd.Series:
    """Times in UTC of words of one format; NaT for other words."""
    if words.empty:
        return words.astype("datetime64[us]")  # what follows takes a millisecond or more, whatever it converts
    times = pd.to_datetime(words, format=form, errors="coerce", utc=is_zoned)
    if is_zoned:
        return times.dt.tz_localize(None).astype("datetime64[us]")
    return _to_utc(times.astype("datetime64[us]"), timezone)


def _to_utc(times: pd.Series, timezone: str) -> pd.Series:
    """Local times in UTC: the first of two if the clock shows an hour twice, the end of the gap if it skips one."""
    import numpy as np

    local = times.dt.tz_localize(timezone, ambiguous=np.ones(len(times), dtype=bool), nonexistent="shift_forward")
    utc: pd.Series = local.dt.tz_convert("UTC").dt.tz_localize(None)
    return utc


def _parse_one(word: str) -> datetime | None:
    """The time of a word of a rare form; None unless it has day, month and year, and its zone, if any, is known.

    A range of days, such as `4-6 March 2025`, must not become another year.
    """
    from dateutil.parser import parse

    with warnings.catch_warnings(action="error"):
        try:
            one, other = (parse(word, default=default, tzinfos=_find_zone) for default in _DEFAULTS)
        except (ValueError, OverflowError, Warning):
            return None
    years = re.findall(r"(?<!\d)(?:19|20)\d{2}(?!\d)", word)
    return one if one == other and (not years or str(one.year) in years) else None


def _find_zone(name: str | None, seconds: int | None) -> tzinfo | None:
    """The zone of an offset or a known name, whatever the machine's own zone is called; None if a word has neither."""
    if seconds is None and name is not None:
        if name not in _ZONES:
            raise ValueError(f"unknown zone {name!r}")
        return datetime.strptime(_ZONES[name], "%z").tzinfo
    return None if seconds is None else timezone(timedelta(seconds=seconds))

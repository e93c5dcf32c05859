"""The columns of a source besides text and label: time of publication, instrument, publisher and context."""

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

from ingestion.cells import is_empty
from ingestion.column_names import end_of, find_named, rank_names, split_words
from ingestion.column_values import ColumnValues
from ingestion.labels import label_word
from ingestion.others import plain_cell
from schemas.label import MISSING_NAMES, MISSING_WORDS
from schemas.source import DataSettings

ABOUT_NAMES = {
    "published_at": (
        *("published at", "published", "published on", "publication date", "publication time", "publish date"),
        *("publish time", "published date", "date published", "pub date", "pubdate", "datetime", "date time"),
        *("timestamp", "date", "created at", "release date", "release time", "time"),
    ),
    "instrument": (
        *("instrument", "ticker", "stock ticker", "ticker symbol", "symbol", "stock symbol", "isin", "ric", "stock"),
        *("security", "entity", "company", "company name"),
    ),
    "publisher": ("publisher", "source", "news source", "provider", "outlet", "site", "domain"),
    "context": (),
}
"""Known names of the columns, best first, by the field of a raw row; case, padding, `_`, `-` and a plural ignored.

A column of contexts has no known name: the settings must name it.
"""

_LONGEST_MISSING = max(map(len, MISSING_WORDS))
_NAMES = frozenset({"instrument", "publisher"})
"""Columns of names, in which case tells a name such as `NAT` from a missing value."""


def find_about(
    names: Sequence[str], judge: Callable[[int], ColumnValues], settings: DataSettings, taken: Container[int]
) -> dict[str, int]:
    """The places of the columns of time, instrument, publisher and context that the settings name or that are found.

    A column is found by its name; a column of times also needs first values that look like dates. If there is none, it
    is one whose first values are all blank.

    Args:
        names: The names of all columns.
        judge: Returns the first values of a column by its place.
        settings: Which columns are named; an empty name means that there is none.
        taken: The places of columns that hold text, label or part.
    """
    named, found = name_about(settings), dict[str, int]()
    for field, known in ABOUT_NAMES.items():
        wanted = named[field]
        if wanted is not None:
            places = find_named(names, wanted) if wanted else []
        else:
            ranks = {place: rank for place, rank in _rank(names, known).items() if place not in taken}
            fits = [place for place in ranks if _fits(field, judge(place))]
            if field == "published_at" and not fits:
                fits = _find_blank(names, ranks, judge)
            places = sorted(fits, key=ranks.__getitem__)
        if places:
            found[field] = places[0]
    return found


def find_undated(
    names: Sequence[str], judge: Callable[[int], ColumnValues], settings: DataSettings, taken: Container[int]
) -> str | None:
    """The column that has a known name of times and looks like dates, but is not read, as its dates fit no order.

    None if there is none, or if the settings name the column of times. The arguments are those of `find_about`, which
    found no such column.
    """
    if settings.published_at_column is not None:
        return None
    ranks = _rank(names, ABOUT_NAMES["published_at"])
    alike = [place for place in ranks if place not in taken and judge(place).resembles_dates]
    return names[min(alike, key=ranks.__getitem__)].strip() if alike else None


def name_about(settings: DataSettings) -> dict[str, str | None]:
    """The columns of time, instrument, publisher and context as the settings name them.

    An empty name means that there is no such column; None means that the column is to be found.
    """
    return {field: getattr(settings, f"{field}_column") for field in ABOUT_NAMES}


def miss_about(names: Sequence[str], settings: DataSettings) -> dict[str, str]:
    """The columns of time, instrument, publisher and context that the settings name but the table lacks."""
    named = name_about(settings)
    return {field: name for field, name in named.items() if name and not find_named(names, name)}


def read_word(field: str, cell: Any) -> str | None:
    """The word in a cell with a time, an instrument, a publisher or a context, as `field` says.

    None if the cell is empty, or if its word means that there is no value.
    """
    if isinstance(cell, str) and cell.isascii():  # most are, and a million of them take a second less
        return _unless_missing(field, " ".join(cell.split()))
    if is_empty(cell):
        return None
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return label_word(cell)
    return _unless_missing(field, " ".join(str(plain_cell(cell)).split()))


def _rank(names: Sequence[str], known: Sequence[str]) -> dict[int, int]:
    return rank_names(names, known, lambda name: {end_of(name), " ".join(split_words(name))})


def _fits(field: str, values: ColumnValues) -> bool:
    return values.holds_dates if field == "published_at" else values.is_short


def _find_blank(names: Sequence[str], ranks: Iterable[int], judge: Callable[[int], ColumnValues]) -> list[int]:
    """Columns with a known name of dates that begin with blanks; none if another one has dates of an unclear order.

    A name such as `time` may be that of times of day, without a date.
    """
    if any(judge(place).resembles_dates for place in ranks):
        return []
    blank = (place for place in ranks if judge(place).is_blank)
    return [place for place in blank if (words := split_words(names[place]))[-1] != "time" or "date" in words]


def _unless_missing(field: str, word: str) -> str | None:
    """The word; None if it is empty or means that there is no value."""
    if len(word) > _LONGEST_MISSING:
        return word
    is_missing = word in MISSING_NAMES if field in _NAMES else word.casefold() in MISSING_WORDS
    return None if not word or is_missing else word

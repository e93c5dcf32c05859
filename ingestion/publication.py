"""When candidates were published: their words become times in UTC, and rows with a wrong date are rejected."""

import pandas as pd
from pandera.errors import SchemaErrors

from ingestion.date_order import DateOrderError
from ingestion.dates import parse_dates
from ingestion.validation import Validated
from schemas.errors import InputError
from schemas.frames import PublicationFrame
from schemas.source import DataSettings, DateOrder

_SHOWN = 40


class AmbiguousDatesError(InputError):
    """The dates of a source do not show whether the day or the month comes first."""


def resolve_dates(validated: Validated, settings: DataSettings) -> tuple[Validated, DateOrder | None]:
    """Parse the dates of rows; candidates whose word is not a date between 1950 and now are rejected.

    Returns:
        The rows with `published_at` as a time in UTC; and the order of numeric dates, as given or found, or None.

    Raises:
        AmbiguousDatesError: The order of day and month cannot be found from all dates together.
    """
    candidates = validated.candidates
    words = candidates["published_at"].dropna()
    if words.empty:
        undated = candidates.assign(published_at=pd.Series(dtype="datetime64[us]"))
        return validated._replace(candidates=undated), settings.date_order
    try:
        times, order = parse_dates(words, settings.timezone, settings.date_order)
    except DateOrderError as error:
        remedy, column = settings.option("date_order", "dmy"), settings.option("published_at_column", "''")
        raise AmbiguousDatesError(
            f"source {settings.source!r}: the order of day and month in its dates is unclear ({error}): use {remedy}, "
            f"mdy or ymd, or leave dates out with {column}"
        ) from None
    reasons = _find_reasons(pd.DataFrame({"word": words, "published_at": times}))
    refused = candidates.loc[reasons.index, ["row_number", "raw"]].assign(reason=reasons)
    rejected = pd.concat([validated.rejected, refused[["row_number", "reason", "raw"]]], ignore_index=True)
    dated = candidates.assign(published_at=times.reindex(candidates.index))
    if len(reasons):  # dropping none would copy all rows
        dated = dated.drop(index=reasons.index)
    return validated._replace(candidates=dated, rejected=rejected), order


def _find_reasons(dates: pd.DataFrame) -> pd.Series:
    """Why dates are wrong, by their index."""
    try:
        PublicationFrame.validate(dates, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.drop_duplicates("index").set_index("index")["check"]
        words = dates.loc[cases.index, "word"].str.slice(stop=_SHOWN)
        return pd.Series(
            [f"{check} {word!r}" for check, word in zip(cases, words, strict=True)], index=cases.index, dtype="str"
        )
    return pd.Series(dtype="str")


def format_days(times: pd.Series, timezone: str) -> pd.Series:
    """The day in a zone of each time in UTC, as in `2025-03-04`; missing if the time is."""
    codes, days = pd.factorize(times.dt.tz_localize("UTC").dt.tz_convert(timezone).dt.normalize())
    formatted = pd.Series(days.strftime("%Y-%m-%d"), dtype="str")  # many headlines have one day
    return formatted.reindex(codes).set_axis(times.index)

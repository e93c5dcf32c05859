"""Splits by time: when the headlines of a source were published, and which part each is in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from schemas.config import StudyConfig
from schemas.listing import count

if TYPE_CHECKING:
    import pandas as pd

    from ingestion.ingest import Ingestion
    from learning.study.split import Member, Parts
    from learning.study.temporal_split import Times


class TimedParts(NamedTuple):
    """The parts of each window (a single one if the split has no windows), and what they are based on."""

    windows: "list[Parts]"
    times: "Times"
    undated: int
    """Headlines without a time, which are in no part."""
    embargoed: int
    """Headlines with a time that are in no part of any window: near copies of earlier ones."""


def divide_by_time(config: StudyConfig, headlines: "pd.DataFrame", members: "Sequence[Member]") -> TimedParts:
    """Split headlines by their time of publication.

    Args:
        config: The study.
        headlines: Columns headline_id and text.
        members: The same headlines, in the same order.

    Raises:
        InputError: The source cannot be read, it has no dates, or a part would lack a class.
    """
    from ingestion.near_duplicates import group_near_copies
    from learning.study.temporal_split import split_by_time

    text_of = dict(zip(headlines["headline_id"], headlines["text"], strict=True))
    known = find_times(config)
    times = {headline: known[headline] for headline in text_of if headline in known}
    zone = ZoneInfo(config.data.timezone)
    split = config.split.model_copy(
        update={name: _in_utc(getattr(config.split, name), zone) for name in ("validation_from", "test_from")}
    )

    def regroup(some: Sequence[str]) -> list[int]:
        groups: list[int] = group_near_copies([text_of[each] for each in some], config.data.near_duplicates).tolist()
        return groups

    windows = split_by_time(members, split, times, regroup)
    placed = {headline for parts in windows for own in parts.values() for headline in own}
    return TimedParts(windows, times, len(text_of) - len(times), len(times) - len(placed))


def find_times(config: StudyConfig) -> "Times":
    """When the headlines of a study's source were published: for each the earliest time that a row of it has.

    The source is read where the warehouse does not know it.

    Raises:
        InputError: The source cannot be read, or an earlier version read it without its dates.
    """
    from operations.known_sources import load_or_read
    from storage.accepted_rows import load_times

    def read(ingestion: "Ingestion") -> "pd.Series":
        return ingestion.rows.dropna(subset="published_at").groupby("headline_id")["published_at"].min()

    known = load_or_read(config.data, load_times, read, needs_dates=True)
    return {str(headline): time.to_pydatetime() for headline, time in known.items()}


def _in_utc(time: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A time as UTC without a zone; one without a zone is taken for local."""
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)


def describe_times(parts: TimedParts) -> str:
    """When the parts begin and end, when each further window is tested, and how many headlines are in no part."""
    first, *later = parts.windows
    text = "by time, UTC: " + ", ".join(f"{part} {_span(parts.times, own)}" for part, own in first.items())
    text += "".join(
        f"; window {number}: test {_span(parts.times, window['test'])}" for number, window in enumerate(later, start=2)
    )
    undated = f"{parts.undated:,} without a date" if parts.undated else ""
    embargoed = count(parts.embargoed, "near copy of an earlier one", "near copies of earlier ones")
    missing = " and ".join(filter(None, [undated, embargoed if parts.embargoed else ""]))
    return f"{text}{f'; headlines in no part: {missing}' if missing else ''}"


def _span(times: "Times", headlines: Sequence[str]) -> str:
    own = [times[headline] for headline in headlines]
    return f"{min(own):%Y-%m-%d} to {max(own):%Y-%m-%d} ({len(own):,})"

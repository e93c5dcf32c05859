"""Finds earlier ingestions of a source, with the same bytes and settings, by this version or an earlier one.

Early versions left out dates, instruments and other columns. Their ingestions stay valid, so an upgrade does not start
another study of the same source; it is read again only on request.
"""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from operations.refusals import check_ingestion, check_known
from schemas.errors import InputError
from schemas.source import DataSettings
from storage.home import Home

if TYPE_CHECKING:
    from ingestion.ingest import Ingestion
    from ingestion.sources import Source
    from storage.source_records import StoredIngestion

T = TypeVar("T")


class UndatedSourceError(InputError):
    """Dates are needed, and the version that read the source left them out."""


class KnownSource(NamedTuple):
    """An earlier ingestion of a source."""

    ingest_id: str
    ingestion: "StoredIngestion"
    is_undated: bool
    """Whether an earlier version read it, which left out dates, instruments and other columns."""


def find_known(source: "Source", data: DataSettings, *, checks: bool = True) -> KnownSource | None:
    """The earlier ingestion of the same bytes and settings; None if there is none.

    Args:
        source: The source.
        data: How it is read.
        checks: Whether it must be within the bound on rejected rows.

    Raises:
        RefusedSourceError: It is beyond the bound.
    """
    from storage.headlines import load_ingestion

    ingest_id, is_undated = _find_id(source, data)
    known = load_ingestion(Home.from_environment().warehouse, ingest_id) if ingest_id else None
    if not ingest_id or not known:
        return None
    if checks:
        check_known(ingest_id, known, data)
    return KnownSource(ingest_id, known, is_undated)


def read_whole(source: "Source", data: DataSettings) -> "Ingestion":
    """Read a source that was found, without saving anything.

    Raises:
        InputError: It cannot be read, or too many rows are rejected.
    """
    from ingestion.ingest import read_source

    ingestion = read_source(data, source)
    check_ingestion(ingestion, data)
    return ingestion


def load_or_read(
    data: DataSettings,
    load: Callable[[Path, str], T | None],
    read: "Callable[[Ingestion], T]",
    *,
    needs_dates: bool = False,
) -> T:
    """Load facts about a source's headlines from the warehouse, or from the source where the warehouse lacks them.

    Args:
        data: The source and how it is read.
        load: Takes the warehouse and the ingestion's id; returns None where an older version ingested the source.
        read: Takes the source as read again, with its headlines identified as in the warehouse.
        needs_dates: Whether an ingestion without dates is not enough.

    Raises:
        InputError: The source cannot be read.
        UndatedSourceError: It needs dates, and the warehouse knows the source without them.
    """
    from ingestion.sources import find_source

    source = find_source(data)
    ingest_id, is_undated = _find_id(source, data)
    if is_undated and needs_dates:
        raise UndatedSourceError(f"source {data.source!r}: {describe_undated(data)}")
    known = load(Home.from_environment().warehouse, ingest_id) if ingest_id else None
    if known is not None:
        return known
    by_text = data.model_copy(update={"identity": ("text",)})
    return read(read_whole(source, by_text if is_undated else data))


def describe_undated(data: DataSettings) -> str:
    """What an earlier version left out of a source, and how to read it."""
    return (
        "an earlier version read it and left out dates, instruments and other columns; "
        f"`fintone ingest {shlex.quote(data.source)} --again` reads them"
    )


def _find_id(source: "Source", data: DataSettings) -> tuple[str | None, bool]:
    """The id of the ingestion of the same bytes and settings, and whether a version without dates made it."""
    from ingestion.identity import earlier_ingest_ids
    from storage.sources import find_ingestion
    from storage.unfit import WarehouseMissingError

    earlier = earlier_ingest_ids(source.sha256, data)
    try:
        found = find_ingestion(Home.from_environment().warehouse, source.ingest_id, earlier)
    except WarehouseMissingError:
        return None, False
    return found, found in earlier

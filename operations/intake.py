"""From a source to the warehouse: what tasks, preview and command line share.

Nothing heavy is loaded for a source that did not change.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from operations.masks import complete_masks
from operations.refusals import check_ingestion, check_known, keep_if_refused
from schemas.columns import ReadColumns
from schemas.data_report import describe_damage, warn_of_labels
from schemas.listing import list_some
from schemas.plan import IngestedSource
from schemas.source import DataSettings
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from ingestion.ingest import Ingestion
    from ingestion.sources import Source
    from storage.headlines import StoredIngestion

T = TypeVar("T")

LARGE_BYTES = 20_000_000
"""Reading so much takes seconds, and a person wants to know."""


def take_in(
    data: DataSettings, tell: Callable[[str], None], check: "Callable[[pd.DataFrame], object] | None" = None
) -> IngestedSource:
    """Read and validate a source; accepted headlines and rejected rows go to the warehouse together.

    A source that did not change costs one hash. Of one that is refused, the rejected rows alone are kept, apart.

    Args:
        data: The source and how it is read.
        tell: Is given what came of it, line by line.
        check: Is given the accepted headlines, as of `find_headlines`, before anything is kept; what it raises ends it.

    Raises:
        InputError: The source cannot be read, is of no known kind, or too much of it is rejected.
    """
    from ingestion.identity import describe_remembered
    from ingestion.ingest import read_source
    from ingestion.sources import find_source
    from storage.headlines import load_snapshot, meet_again

    source = find_source(data)
    known = _load_known(source, data)
    if known:
        complete_masks(Home.from_environment().warehouse)
        if check:
            check(load_snapshot(Home.from_environment().warehouse, known.snapshot_id))
        meet_again(Home.from_environment().warehouse, source.location, source.ingest_id, describe_remembered(data))
        tell(f"{known.source}: nothing new, its {known.rows_read:,} rows are snapshot {known.snapshot_id}")
        _warn(known, tell)
        return _ingested(source.ingest_id, known, is_new=False)
    if source.size > LARGE_BYTES:
        tell(f"{source.name}: reading {source.size / 1e6:,.0f} MB")
    ingestion = read_source(data, source)
    keep_if_refused(ingestion, data)
    if check:
        check(ingestion.accepted)
    _save(ingestion)
    left_out = f", {len(ingestion.left_out):,} left out" if len(ingestion.left_out) else ""
    added = f", {ingestion.rows_added:,} more for further entities" if ingestion.rows_added else ""
    tell(
        f"{ingestion.source}: {ingestion.rows_read:,} rows read{added}, "
        f"{len(ingestion.accepted):,} headlines accepted, "
        f"{ingestion.rows_merged:,} copies merged, {len(ingestion.rejected):,} rejected{left_out}"
    )
    if ingestion.columns.describe() and not ingestion.synthetic:
        tell(f"{ingestion.source}: {ingestion.columns.describe()}")
    if ingestion.not_read:
        tell(f"{ingestion.source}: not read: {list_some(ingestion.not_read)}")
    if ingestion.headlines_damaged:
        tell(f"{ingestion.source}: {describe_damage(ingestion.headlines_damaged, ingestion.damaged_example)}")
    _warn(ingestion, tell)
    return _ingested(source.ingest_id, ingestion, is_new=True)


def _warn(ingestion: "StoredIngestion | Ingestion", tell: Callable[[str], None]) -> None:
    for warning in (*ingestion.columns.warn(), *warn_of_labels(ingestion.labels)):
        tell(f"warning: {ingestion.source}: {warning}")


def read_whole(source: "Source", data: DataSettings) -> "Ingestion":
    """Read a source that was found, without keeping anything.

    Raises:
        InputError: It cannot be read, or too much of it is rejected.
    """
    from ingestion.ingest import read_source

    ingestion = read_source(data, source)
    check_ingestion(ingestion, data)
    return ingestion


def find_headlines(data: DataSettings, on_columns: Callable[[ReadColumns], object] = lambda _: None) -> "pd.DataFrame":
    """A source's accepted headlines in the order of their snapshot; those that are not known are read and not kept.

    Args:
        data: The source and how it is read.
        on_columns: Is given the columns that were read.

    Returns:
        At least the columns headline_id, label, text_id, group_id, text, context and instrument.

    Raises:
        InputError: The source cannot be read, or too much of it is rejected.
    """
    from ingestion.sources import find_source
    from storage.headlines import load_snapshot

    source = find_source(data)
    known = _load_known(source, data)
    if known:
        on_columns(known.columns)
        return load_snapshot(Home.from_environment().warehouse, known.snapshot_id)
    ingestion = read_whole(source, data)
    on_columns(ingestion.columns)
    return ingestion.snapshot


def load_or_read(data: DataSettings, load: Callable[[Path, str], T | None], read: "Callable[[Ingestion], T]") -> T:
    """What a source says of its headlines, from the warehouse; read again where that does not know it.

    Args:
        data: The source and how it is read.
        load: Takes the warehouse and the ingestion's id; None where an older version ingested the source.
        read: Takes the source as it is read again.

    Raises:
        InputError: The source cannot be read.
    """
    from ingestion.sources import find_source
    from storage.warehouse import WarehouseMissingError

    source, known = find_source(data), None
    with suppress(WarehouseMissingError):
        known = load(Home.from_environment().warehouse, source.ingest_id)
    return read(read_whole(source, data)) if known is None else known


def _ingested(ingest_id: str, known: "StoredIngestion | Ingestion", *, is_new: bool) -> IngestedSource:
    return IngestedSource(
        ingest_id=ingest_id,
        snapshot_id=known.snapshot_id,
        source=known.source,
        synthetic=known.synthetic,
        is_new=is_new,
    )


def _load_known(source: "Source", data: DataSettings) -> "StoredIngestion | None":
    """What came of the same bytes and settings before, if that is within the bound."""
    from storage.headlines import load_ingestion
    from storage.warehouse import WarehouseMissingError

    try:
        known = load_ingestion(Home.from_environment().warehouse, source.ingest_id)
    except WarehouseMissingError:
        return None
    if known:
        check_known(source.ingest_id, known, data)
    return known


def _save(ingestion: "Ingestion") -> None:
    from storage.headlines import SourceRecord, save_ingestion
    from storage.warehouse import prepare_warehouse

    home = Home.from_environment()
    home.create()
    prepare_warehouse(home.warehouse)
    complete_masks(home.warehouse)
    record = SourceRecord(**{field.name: getattr(ingestion, field.name) for field in fields(SourceRecord)})
    frames = (ingestion.accepted, ingestion.rejected, ingestion.quarantined)
    save_ingestion(
        home.warehouse,
        record,
        *frames,
        left_out=ingestion.left_out,
        given=ingestion.given,
        rows=ingestion.rows,
        order_counts=ingestion.order_counts,
    )

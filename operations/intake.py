"""From a source to the warehouse: what tasks, preview and command line share.

Nothing heavy is loaded for a source that did not change.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING

from operations.known_sources import KnownSource, describe_undated, find_known, read_whole
from operations.masks import complete_masks
from operations.refusals import keep_if_refused
from schemas.columns import ReadColumns
from schemas.data_report import describe_damage, warn_of_labels
from schemas.disk import format_bytes
from schemas.listing import count, list_some
from schemas.plan import IngestedSource
from schemas.source import DataSettings
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from ingestion.ingest import Ingestion
    from ingestion.sources import Source
    from storage.source_records import StoredIngestion

LARGE_BYTES = 20_000_000
"""A source from this size on takes seconds to read, so a line announces it."""


def ingest_and_save(
    data: DataSettings,
    notify: Callable[[str], None],
    check: "Callable[[pd.DataFrame], object] | None" = None,
    *,
    again: bool = False,
) -> IngestedSource:
    """Read and validate a source; accepted headlines and rejected rows go to the warehouse together.

    An unchanged source costs one hash. Of a source that is refused, only the rejected rows are kept, separately.

    Args:
        data: The source and how it is read.
        notify: Receives the results, line by line.
        check: Receives the accepted headlines, as from `find_headlines`, before anything is saved; may raise to stop.
        again: Read a known source again, and save rows that the warehouse lacks; studies stay as they are.

    Raises:
        InputError: The source cannot be read, its format is unknown, or too many rows are rejected.
    """
    from ingestion.ingest import read_source
    from ingestion.sources import find_source
    from storage.warehouse import migrate_to_read

    source, warehouse = find_source(data), Home.from_environment().warehouse
    if warehouse.exists():
        migrate_to_read(warehouse)
    known = find_known(source, data, checks=not again)
    if known and not again:
        return _meet_unchanged(source, known, data, notify, check)
    if source.size > LARGE_BYTES:
        notify(f"{source.name}: reading {format_bytes(source.size)}")
    ingestion = read_source(data, source)
    keep_if_refused(ingestion, data)
    if check:
        check(ingestion.accepted)
    ingest_id = _save(ingestion, again=again)
    _report_read(ingestion, notify)
    if known:
        notify(f"{ingestion.source}: {_describe_again(known, ingestion, data)}")
    return _ingested(ingest_id, source.name, ingestion, is_new=known is None or known.ingest_id != ingest_id)


def _meet_unchanged(
    source: "Source",
    known: KnownSource,
    data: DataSettings,
    notify: Callable[[str], None],
    check: "Callable[[pd.DataFrame], object] | None",
) -> IngestedSource:
    """Record that a known source was found again, unchanged; see `ingest_and_save`."""
    from ingestion.identity import describe_remembered
    from storage.snapshots import load_snapshot
    from storage.visits import record_visit

    warehouse, ingestion = Home.from_environment().warehouse, known.ingestion
    complete_masks(warehouse)
    if check:
        check(load_snapshot(warehouse, ingestion.snapshot_id))
    record_visit(warehouse, source.location, known.ingest_id, describe_remembered(data))
    rows = count(ingestion.rows_read, "row is", "rows are")
    before = "" if ingestion.source == source.name else f", read before as {ingestion.source}"
    notify(f"{source.name}: nothing new, its {rows} snapshot {ingestion.snapshot_id}{before}")
    if known.is_undated:
        notify(f"{source.name}: {describe_undated(data)}")
    _warn(source.name, ingestion, notify)
    return _ingested(known.ingest_id, source.name, ingestion, is_new=False)


def _report_read(ingestion: "Ingestion", notify: Callable[[str], None]) -> None:
    """Report the results of reading a source, line by line."""
    left_out = f", {len(ingestion.left_out):,} left out" if len(ingestion.left_out) else ""
    added = f", {ingestion.rows_added:,} more for further entities" if ingestion.rows_added else ""
    notify(
        f"{ingestion.source}: {count(ingestion.rows_read, 'row')} read{added}, "
        f"{count(len(ingestion.accepted), 'headline')} accepted, "
        f"{count(ingestion.rows_merged, 'copy', 'copies')} merged, {len(ingestion.rejected):,} rejected{left_out}"
    )
    if ingestion.columns.describe() and not ingestion.synthetic:
        notify(f"{ingestion.source}: {ingestion.columns.describe()}")
    if ingestion.not_read:
        notify(f"{ingestion.source}: not read: {list_some(ingestion.not_read)}")
    if ingestion.headlines_damaged:
        notify(f"{ingestion.source}: {describe_damage(ingestion.headlines_damaged, ingestion.damaged_example)}")
    _warn(ingestion.source, ingestion, notify)


def _describe_again(known: KnownSource, ingestion: "Ingestion", data: DataSettings) -> str:
    """The snapshot of a source that was read again, compared with the one before, in words."""
    before = known.ingestion.snapshot_id
    if before == ingestion.snapshot_id:
        return f"read again, its headlines are snapshot {before} as before"
    text = (
        f"read again, its headlines are snapshot {ingestion.snapshot_id}; studies of snapshot {before} stay as they are"
    )
    if not known.is_undated or not {"instrument", "day"} & set(data.identity):
        return text
    return f"{text} (days and instruments now distinguish headlines; with --set data.identity=text they do not)"


def _warn(source: str, ingestion: "StoredIngestion | Ingestion", notify: Callable[[str], None]) -> None:
    for warning in (*ingestion.columns.warn(), *warn_of_labels(ingestion.labels)):
        notify(f"warning: {source}: {warning}")


def find_headlines(data: DataSettings, on_columns: Callable[[ReadColumns], object] = lambda _: None) -> "pd.DataFrame":
    """A source's accepted headlines in the order of their snapshot; an unknown source is read, and nothing is saved.

    Args:
        data: The source and how it is read.
        on_columns: Receives the columns that were read.

    Returns:
        At least the columns headline_id, label, text_id, group_id, text, context and instrument.

    Raises:
        InputError: The source cannot be read, or too many rows are rejected.
    """
    from ingestion.sources import find_source
    from storage.snapshots import load_snapshot

    source = find_source(data)
    known = find_known(source, data)
    if known:
        on_columns(known.ingestion.columns)
        return load_snapshot(Home.from_environment().warehouse, known.ingestion.snapshot_id)
    ingestion = read_whole(source, data)
    on_columns(ingestion.columns)
    return ingestion.snapshot


def _ingested(ingest_id: str, source: str, known: "StoredIngestion | Ingestion", *, is_new: bool) -> IngestedSource:
    return IngestedSource(
        ingest_id=ingest_id,
        snapshot_id=known.snapshot_id,
        source=source,
        synthetic=known.synthetic,
        is_new=is_new,
    )


def _save(ingestion: "Ingestion", *, again: bool) -> str:
    """Save a source to the warehouse, and return the id of its ingestion."""
    from operations.homes import created_home
    from storage.headlines import save_ingestion
    from storage.source_records import SourceRecord

    home = created_home()
    complete_masks(home.warehouse)
    names = {field.name for field in fields(SourceRecord)} & {field.name for field in fields(ingestion)}
    record = SourceRecord(**{name: getattr(ingestion, name) for name in names})
    frames = (ingestion.accepted, ingestion.rejected, ingestion.quarantined)
    return save_ingestion(
        home.warehouse,
        record,
        *frames,
        left_out=ingestion.left_out,
        given=ingestion.given,
        rows=ingestion.rows,
        order_counts=ingestion.order_counts,
        again=again,
    )

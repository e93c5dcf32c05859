"""What the warehouse records of an ingestion."""

from dataclasses import dataclass

from schemas.columns import NO_COLUMNS, ReadColumns
from schemas.source import DateOrder


@dataclass(frozen=True)
class SourceRecord:
    """One ingestion; how many rows were accepted, rejected and quarantined follows from the frames."""

    ingest_id: str
    source: str
    location: str
    kind: str
    sha256: str
    encoding: str | None
    synthetic: bool
    rows_read: int
    rows_merged: int
    snapshot_id: str
    rows_added: int = 0
    """Extra rows from those with a label for each of several entities, which become a row for each."""
    columns: ReadColumns = NO_COLUMNS
    not_read: tuple[str, ...] = ()
    headlines_damaged: int = 0
    damaged_example: str | None = None
    date_order: DateOrder | None = None
    reading: str = "{}"
    """The settings with which it was read, as JSON."""
    settings: str = "{}"
    """The settings that were given for its place, as JSON; see `schemas.source.DataSettings.remembered`."""
    again_of: str | None = None
    """The earlier ingestion of the same bytes and settings; see `save_ingestion`."""


@dataclass(frozen=True)
class StoredIngestion:
    """The result of an ingestion; `labels` are those of its headlines."""

    snapshot_id: str
    source: str
    synthetic: bool
    rows_read: int
    rows_added: int
    rows_accepted: int
    rows_rejected: int
    rows_left_out: int
    labels: tuple[str, ...]
    columns: ReadColumns = NO_COLUMNS

"""Tasks from a source to a split. Each opens, calls, records and returns ids."""

from dataclasses import fields

from prefect import task

from schemas.config import DataSettings, SplitSettings
from schemas.plan import IngestedSource
from tasks.progress import announce


@task(task_run_name="ingest {data.source}")
def ingest_source(data: DataSettings) -> IngestedSource:
    """Read and validate the source; accepted headlines and rejected rows go to the warehouse together."""
    from ingestion.ingest import read_source
    from storage.headlines import SourceRecord, save_ingestion
    from storage.home import Home

    ingestion = read_source(data)
    record = SourceRecord(**{field.name: getattr(ingestion, field.name) for field in fields(SourceRecord)})
    save_ingestion(Home.from_environment().warehouse, record, ingestion.accepted, ingestion.rejected)
    announce(
        f"{ingestion.source}: {ingestion.rows_read} rows read, {len(ingestion.accepted)} headlines accepted, "
        f"{ingestion.rows_merged} copies merged, {len(ingestion.rejected)} rejected"
    )
    return IngestedSource(
        ingest_id=ingestion.ingest_id,
        snapshot_id=ingestion.snapshot_id,
        source=ingestion.source,
        synthetic=ingestion.synthetic,
    )


@task(task_run_name="split snapshot {snapshot_id}")
def split_snapshot(snapshot_id: str, split: SplitSettings) -> str:
    """Split a snapshot into train, validation and test, and return the split's id."""
    from learning.identity import split_id
    from learning.split import split_headlines
    from storage.headlines import load_snapshot, save_split
    from storage.home import Home

    warehouse = Home.from_environment().warehouse
    snapshot = load_snapshot(warehouse, snapshot_id)
    parts = split_headlines(snapshot["headline_id"].tolist(), snapshot["label"].tolist(), split)
    identifier = split_id(snapshot_id, split)
    save_split(warehouse, identifier, snapshot_id, parts)
    announce("split: " + ", ".join(f"{len(headlines)} {part}" for part, headlines in parts.items()))
    return identifier

"""Tasks from a source to a split. Each opens, calls, records and returns ids."""

from collections import Counter
from dataclasses import fields

from prefect import task

from schemas.config import DataSettings, SplitSettings
from schemas.plan import IngestedSource
from tasks.progress import announce


@task(task_run_name="ingest {data.source}")
def ingest_source(data: DataSettings) -> IngestedSource:
    """Read and validate the source; accepted headlines and rejected rows go to the warehouse together.

    A source of which more than `max_rejected` is rejected leaves nothing there.
    """
    from ingestion.ingest import read_source
    from schemas.tolerance import check_rejected
    from storage.headlines import SourceRecord, save_ingestion
    from storage.home import Home

    ingestion = read_source(data)
    check_rejected(data.source, ingestion.rows_read, ingestion.rejected, data.max_rejected)
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
    """Split a snapshot into train, validation and test, and return the split's id.

    A split that is known stays as it is; a new one heeds the test parts of all earlier ones with the same settings.
    """
    from learning.identity import split_id
    from learning.split import split_headlines
    from storage.headlines import load_earlier_parts, load_snapshot, load_split_counts, save_split
    from storage.home import Home

    warehouse = Home.from_environment().warehouse
    identifier, settings = split_id(snapshot_id, split), split.model_dump(mode="json")
    if not load_split_counts(warehouse, identifier):
        snapshot, earlier = load_snapshot(warehouse, snapshot_id), load_earlier_parts(warehouse, settings)
        parts = split_headlines(snapshot["headline_id"].tolist(), snapshot["label"].tolist(), split, earlier)
        save_split(warehouse, identifier, snapshot_id, parts, settings)
    counts: Counter[str] = Counter()
    for part, _, number in load_split_counts(warehouse, identifier):
        counts[part] += number
    announce("split: " + ", ".join(f"{number} {part}" for part, number in counts.items()))
    return identifier

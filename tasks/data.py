"""Tasks that lead from a source to a split."""

from collections import Counter
from functools import partial

from prefect import task
from prefect.artifacts import create_markdown_artifact

from schemas.config import StudyConfig
from schemas.plan import IngestedSource
from schemas.source import DataSettings
from storage.home import Home
from tasks.progress import announce

DATA_REPORT_KEY = "data-report"
SOURCE_TOPIC = "source"
"""The topic of lines about the outcome of reading a source; `fintone run` prints them before its flow does."""


@task(task_run_name="ingest {data.source}")
def ingest_source(data: DataSettings, *, again: bool = False) -> IngestedSource:
    """Read and validate the source into the warehouse, unless it is there already and `again` is false."""
    from operations.intake import ingest_and_save

    return ingest_and_save(data, partial(announce, topic=SOURCE_TOPIC), again=again)


@task(task_run_name="publish data report")
def publish_data_report(ingested: IngestedSource) -> None:
    """Show in the Prefect UI what became of the source's rows, and how it differs from the source before.

    A line of the log reports texts that are gone and labels that have changed.
    """
    from reporting.data_report import render_data_report, summarise
    from schemas.data_report import describe_losses
    from storage.data_report import load_data_report

    report = load_data_report(Home.from_environment().warehouse, ingested.ingest_id)
    create_markdown_artifact(render_data_report(report), key=DATA_REPORT_KEY, description=summarise(report))
    losses = describe_losses(report.previous_snapshot_id, report.changes)
    if losses:
        announce(f"note: {ingested.source}: {losses}")


@task(task_run_name="split snapshot {ingested.snapshot_id}")
def split_snapshot(ingested: IngestedSource, config: StudyConfig) -> str:
    """Split a study's snapshot into train, validation and test, and return the split's id."""
    from operations.splitting import settle_study_split
    from reporting.verdict import describe_excess, describe_leaks, describe_scarcity
    from storage.splits import load_leaks, load_split_counts
    from storage.warehouse import reading_together

    warehouse = Home.from_environment().warehouse
    identifier, notes = settle_study_split(config, ingested)
    with reading_together(warehouse):
        by_label, leaks = load_split_counts(warehouse, identifier), load_leaks(warehouse, identifier)
    counts: Counter[str] = Counter()
    for part, _, number in by_label:
        counts[part] += number
    split = config.split
    folds = f"{split.repeats}, together " if split.repeats else ""
    announce(f"split: {folds}" + ", ".join(f"{number} {part}" for part, number in counts.items()))
    excess = describe_excess(by_label, split)
    for note in (*notes, excess, describe_scarcity(by_label), describe_leaks(leaks, counts["test"])):
        if note:
            announce(f"note: {note}")
    return identifier

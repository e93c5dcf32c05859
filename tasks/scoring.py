"""Tasks of a scoring: label the headlines of a source, and tell how the answers drifted from the model's own test."""

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.events import emit_event

from operations.answers import ScoredSource
from reporting.csv_rows import CsvRows
from reporting.markdown import escape
from schemas.scoring import Drift
from schemas.source import ScoreSettings
from tasks.progress import Progress, announce

DRIFT_KEY = "score-drift"
DRIFT_EVENT = "fintone.score.drifted"


@task(task_run_name="score {settings.source}")
def score_headlines(settings: ScoreSettings) -> ScoredSource:
    """Label every headline of the source with the champion or a named cell, in batches."""
    from operations.answers import answers_file, choose_model, score_source, tell_counts, tell_unparsed

    progress: list[Progress] = []

    def update(done: int, total: int | None, detail: str) -> None:
        if total is None:
            announce(f"{done:,} rows, {detail}")
            return
        if not progress:
            progress.append(Progress(f"score {settings.source}", total))
        progress[0].update(done, detail)

    chosen = choose_model(settings)
    csv_rows = CsvRows(raw=settings.raw)
    with answers_file(settings, csv_rows) as write:
        scored = score_source(settings, chosen, write, update, announce)
    announce(tell_counts(scored))
    csv_rows.tell(announce)
    warning = tell_unparsed(scored)
    if warning:
        announce(warning)
    return scored


@task(task_run_name="watch drift")
def watch_drift(scored: ScoredSource, tolerance: float) -> list[Drift]:
    """Show the drift of shares and of confidence in the Prefect UI; an event tells of what exceeds the tolerance.

    Too few headlines to say anything are told and are no event.

    Returns:
        The measures that do.
    """
    from reporting.verdict import tell_drift
    from storage.home import Home
    from storage.scores import load_drift

    drifts = load_drift(Home.from_environment().warehouse, scored.scoring_id)
    drifted = [drift for drift in drifts if drift.exceeds(tolerance)]
    if drifts:
        source = f"{escape(scored.source)} by cell {scored.cell_id}, beside its test part"
        create_table_artifact([_table_row(drift, tolerance) for drift in drifts], key=DRIFT_KEY, description=source)
    for line in tell_drift(drifts, tolerance):
        announce(line)
    if drifted:
        emit_event(
            event=DRIFT_EVENT,
            resource={
                "prefect.resource.id": f"fintone.cell.{scored.cell_id}",
                "prefect.resource.name": f"fine-tuned cell {scored.cell_id}",
            },
            payload={
                "scoring_id": scored.scoring_id,
                "source": scored.source,
                "tolerance": tolerance,
                "drifted": {drift.measure: drift.difference for drift in drifted},
            },
        )
    return drifted


def _table_row(drift: Drift, tolerance: float) -> dict[str, object]:
    figures = {name: round(value, 3) for name, value in drift._asdict().items() if isinstance(value, float)}
    return {
        "measure": drift.measure,
        "n": drift.n,
        "test n": drift.test_n,
        **figures,
        "beyond tolerance": "unknown" if drift.reason else "yes" if drift.exceeds(tolerance) else "",
    }

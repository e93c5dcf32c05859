"""Tasks of a scoring: label the headlines of a source, and watch drift and accuracy against the model's own test."""

from collections.abc import Sequence
from dataclasses import asdict

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.events import emit_event

from operations.drift import DriftWatch
from operations.scoring_run import ScoredSource
from reporting.csv_rows import CsvRows
from reporting.markdown import escape
from schemas.listing import count
from schemas.score import ScoreSettings
from schemas.scoring import Drift, FreshAccuracy
from storage.home import Home
from tasks.progress import Progress, announce

DRIFT_KEY, ACCURACY_KEY = "score-drift", "fresh-accuracy"
MOST_OF_A_LINE = 2_000
"""Characters of a line that are shown."""
DRIFT_EVENT = "fintone.score.drifted"
DROP_EVENT = "fintone.score.accuracy_dropped"


@task(task_run_name="score {settings.source}")
def score_headlines(settings: ScoreSettings) -> ScoredSource:
    """Label every headline of the source with the champion or a named cell, in batches."""
    from operations.answers import answers_file, choose_model, describe_result, reporting_interruption, score_source

    progress: list[Progress] = []

    def update(done: int, total: int | None, detail: str) -> None:
        if total is None:
            announce(f"{count(done, 'row')}, {detail}" if detail else count(done, "row"))
            return
        if not progress:
            progress.append(Progress(f"score {settings.source}", total))
        progress[0].update(done, detail)

    chosen = choose_model(settings)
    csv_rows = CsvRows(raw=settings.raw)
    watch = _make_watch(settings.source, chosen.scorer.cell_id, settings.drift_tolerance)

    def report_end(scored: ScoredSource) -> None:
        for line in describe_result(scored):
            announce(line)
        csv_rows.report(announce)

    def report_interrupted(scored: ScoredSource) -> None:
        report_end(scored)
        watch.end(scored.scoring_id)

    with reporting_interruption(report_interrupted) as keep, answers_file(settings, csv_rows, announce) as write:
        scored = score_source(settings, chosen, write, update, announce, look=watch.look, on_interrupt=keep)
    report_end(scored)
    return scored


@task(task_run_name="watch drift")
def watch_drift(scored: ScoredSource, tolerance: float) -> list[Drift]:
    """Show the drift of shares and of confidence in the Prefect UI; what exceeds the tolerance is sent as an event.

    If there are too few headlines to judge, that is announced, and no event is sent.

    Returns:
        The measures that exceed the tolerance.
    """
    drifts = _make_watch(scored.source, scored.cell_id, tolerance).end(scored.scoring_id)
    if drifts:
        source = f"{escape(scored.source)} by cell {scored.cell_id}, compared with its test part"
        create_table_artifact([_table_row(drift, tolerance) for drift in drifts], key=DRIFT_KEY, description=source)
    return [drift for drift in drifts if drift.exceeds(tolerance)]


@task(task_run_name="watch accuracy")
def watch_fresh_accuracy(scored: ScoredSource) -> FreshAccuracy | None:
    """Show the accuracy on labelled headlines since the model's study; a drop beyond noise sends one event.

    Returns:
        The drop, if there is one.
    """
    from operations.accuracy_watch import watch_accuracy

    def send(drop: FreshAccuracy) -> bool:
        return emit_drop(scored.scoring_id, scored.source, scored.cell_id, drop)

    def show(line: str) -> None:
        announce(line)
        described = f"{escape(scored.source)} by cell {scored.cell_id}"
        create_markdown_artifact(escape(line, MOST_OF_A_LINE), key=ACCURACY_KEY, description=described)

    return watch_accuracy(Home.from_environment().warehouse, scored.scoring_id, show, send)


def emit_drop(scoring_id: str, source: str, cell_id: str, drop: FreshAccuracy) -> bool:
    """Send the event of a drop of accuracy to the Prefect server, as `emit_drift` does; whether it was sent."""
    payload = {"scoring_id": scoring_id, "source": source, **asdict(drop)}
    return emit_event(event=DROP_EVENT, resource=_as_resource(cell_id), payload=payload) is not None


def emit_drift(scoring_id: str, source: str, cell_id: str, tolerance: float, drifted: Sequence[Drift]) -> None:
    """Send the event of drift to the Prefect server, for automations to act on."""
    emit_event(
        event=DRIFT_EVENT,
        resource=_as_resource(cell_id),
        payload={
            "scoring_id": scoring_id,
            "source": source,
            "tolerance": tolerance,
            "drifted": {drift.measure: drift.difference for drift in drifted},
        },
    )


def _as_resource(cell_id: str) -> dict[str, str]:
    """A cell as events name it."""
    return {
        "prefect.resource.id": f"fintone.cell.{cell_id}",
        "prefect.resource.name": f"fine-tuned cell {cell_id}",
    }


def _make_watch(source: str, cell_id: str, tolerance: float) -> DriftWatch:
    def send(scoring_id: str, drifted: Sequence[Drift]) -> None:
        emit_drift(scoring_id, source, cell_id, tolerance, drifted)

    return DriftWatch(Home.from_environment().warehouse, tolerance, announce, send)


def _table_row(drift: Drift, tolerance: float) -> dict[str, object]:
    is_known = drift.difference_low is not None and drift.difference_high is not None
    return {
        "measure": drift.measure,
        "beyond tolerance": "unknown" if drift.reason else "yes" if drift.exceeds(tolerance) else "",
        "here": round(drift.value, 3),
        "on test": round(drift.test_value, 3),
        "difference": round(drift.difference, 3),
        "95 %": f"{drift.difference_low:+.3f} to {drift.difference_high:+.3f}" if is_known else "",
        "headlines": drift.n,
        "of test": drift.test_n,
    }

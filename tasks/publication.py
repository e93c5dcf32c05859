"""Tasks that show what a study found: the leaderboard and a summary in the Prefect UI, and the report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from operations.missing import find_best, tell_missing
from reporting.data_report import escape
from reporting.promotion import tell_champion, tell_decision
from reporting.verdict import format_figure, tell_baseline
from schemas.comparison import BaselineVerdict
from schemas.plan import IngestedSource, StudyPlan
from schemas.promotion import Champion
from tasks.progress import announce

if TYPE_CHECKING:
    from storage.cells import StoredCell

MOST_OF_A_REASON = 2_000
"""Characters of a decision's reason that a summary shows."""

LEADERBOARD_KEY, SUMMARY_KEY, REPORT_KEY = "leaderboard", "summary", "report"


@task(task_run_name="publish leaderboard")
def publish_leaderboard(study: StudyPlan, ingested: IngestedSource) -> None:
    """Show the leaderboard and a summary in the Prefect UI.

    Raises:
        NothingTrainedError: No fine-tuned cell has been evaluated.
    """
    from storage.cells import load_missing
    from storage.champions import load_champion, load_decision
    from storage.comparisons import load_verdicts
    from storage.evaluations import load_leaderboard
    from storage.home import Home

    warehouse = Home.from_environment().warehouse
    best, missing = find_best(warehouse, study.study_id), load_missing(warehouse, study.study_id)
    test = load_leaderboard(warehouse, study.study_id)
    champion = "; * was the champion when this was published" if any(row["is_champion"] for row in test) else ""
    described = f"{ingested.source}, study {study.study_id}, {test[0]['n']} test headlines{champion}"
    create_table_artifact([_table_row(row) for row in test], key=LEADERBOARD_KEY, description=described)
    verdict = load_verdicts(warehouse, study.study_id, best["cell_id"]).get(best["temperature"])
    summary = _summarise(study, escape(ingested.source), best, test, verdict)
    summary += _tell_promotion(load_decision(warehouse, study.study_id), load_champion(warehouse))
    summary += _note_missing(missing)
    create_markdown_artifact(summary, key=SUMMARY_KEY, description=described)


@task(task_run_name="publish report")
def publish_report(study_id: str) -> None:
    """Write the report of a study, and link to it in the Prefect UI."""
    from operations.report import write_report

    page = write_report(study_id).resolve()
    create_link_artifact(page.as_uri(), link_text=str(page), key=REPORT_KEY, description=f"study {study_id}")
    announce(f"report: {page}")


def _note_missing(missing: Sequence["StoredCell"]) -> str:
    return f"\n\n**{tell_missing(missing)}.**" if missing else ""


def _tell_promotion(decision: dict[str, Any] | None, champion: Champion | None) -> str:
    """What the promotion gate said, and who is champion as the summary is written, in a paragraph."""
    told = f"The champion when this was published: {tell_champion(champion)}."
    if decision is None:
        return f"\n\n**Promotion**: not judged, since cells are missing. {told}"
    reason = escape(decision["reason"], MOST_OF_A_REASON)
    return f"\n\n**Promotion**: {tell_decision(decision)}. Reason: {reason}. {told}"


def _table_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the leaderboard as the Prefect UI shows it: so few columns that all are seen at once."""
    return {
        "model": row["cell_name"],
        "T": "" if row["temperature"] is None else f"{row['temperature']:g}",
        "accuracy": format_figure(row["accuracy"]),
        "95 %": f"{format_figure(row['accuracy_low'])} - {format_figure(row['accuracy_high'])}",
        "macro-F1": format_figure(row["macro_f1"]),
        "expected": format_figure(row["expected_accuracy"]),
        "unparsed": format_figure(row["unparsed_rate"]),
        "cell": f"{row['cell_id']}{' *' if row['is_champion'] else ''}",
    }


def _summarise(
    study: StudyPlan, source: str, best: Any, test: list[dict[str, Any]], verdict: BaselineVerdict | None
) -> str:
    """The answer in a few lines: which cell validation chose, what test says of it, and whether it was worth it."""
    [judged] = [row for row in test if (row["cell_id"], row["temperature"]) == (best["cell_id"], best["temperature"])]
    worth = f" {tell_baseline('It', verdict)}." if verdict else ""
    return (
        f"## {escape(best['name'])}\n\nBest on validation, of study `{study.study_id}` ({source}).\n\n"
        f"On {judged['n']} test headlines at temperature {judged['temperature']:g}: accuracy "
        f"{judged['accuracy']:.3f} (95 % interval {judged['accuracy_low']:.3f} to {judged['accuracy_high']:.3f}), "
        f"macro-F1 {judged['macro_f1']:.3f}.{worth}\n\nCell `{best['cell_id']}`."
    )

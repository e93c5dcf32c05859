"""Tasks that show what a study found: the leaderboard and a summary in the Prefect UI, and the report."""

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.artifacts import create_markdown_artifact

from operations.missing import describe_lost_cells, find_best
from reporting.markdown import escape, render_table
from reporting.promotion import describe_champion, describe_decision, describe_repeats_unjudged
from reporting.verdict import describe_baseline, describe_drop, format_figure
from schemas.comparison import BaselineVerdict
from schemas.plan import IngestedSource, StudyPlan
from schemas.promotion import Champion
from schemas.report import Chosen
from schemas.split import Repeats
from storage.home import Home
from tasks.progress import announce

if TYPE_CHECKING:
    from storage.cells import StoredCell
    from storage.races import DroppedCell

MOST_OF_A_REASON = MOST_OF_AN_ANSWER = 2_000
"""Characters of a decision's reason, and of the answer of a report, that are shown."""

CHAMPION = escape("*")
UNBROKEN = "\N{NO-BREAK SPACE}-\N{NO-BREAK SPACE}"
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
    from storage.races import load_drops
    from storage.warehouse import reading_together

    warehouse = Home.from_environment().warehouse
    with reading_together(warehouse):
        best, missing = find_best(warehouse, study.study_id), load_missing(warehouse, study.study_id)
        test = load_leaderboard(warehouse, study.study_id)
        verdict = load_verdicts(warehouse, study.study_id, best.cell_id).get(best.temperature)
        decision, holder = load_decision(warehouse, study.study_id), load_champion(warehouse)
        drops = load_drops(warehouse, study.study_id)
    has_champion = any(row["is_champion"] for row in test)
    champion = f"; {CHAMPION} was the champion when this was published" if has_champion else ""
    described = f"{escape(ingested.source)}, study {study.study_id}, {test[0]['n']} test headlines"
    create_markdown_artifact(_render_leaderboard(test), key=LEADERBOARD_KEY, description=f"{described}{champion}")
    summary = _summarise(study, escape(ingested.source), best, test, verdict)
    summary += _describe_promotion(decision, holder, study.config.split.repeats)
    summary += _note_dropped(drops) + _note_missing(missing)
    create_markdown_artifact(summary, key=SUMMARY_KEY, description=described)


@task(task_run_name="publish report")
def publish_report(study_id: str) -> None:
    """Write the report of a study, and show its answer and its path in the Prefect UI, which cannot open files."""
    from operations.report import read_report, save_report
    from reporting.page import describe_answer
    from reporting.usable import describe_usable

    report = read_report(study_id)
    usable = describe_usable(report)
    page = save_report(report).resolve()
    text = (
        f"## Study {study_id}\n\n**May we use it? {usable.word}.** {escape(usable.why, MOST_OF_AN_ANSWER)}\n\n"
        f"{escape(describe_answer(report), MOST_OF_AN_ANSWER)}\n\n"
        f"The report with charts, tables and queries is a page on {escape(socket.gethostname())}:\n\n"
        f"{escape(str(page), MOST_OF_AN_ANSWER)}\n\nTo read it elsewhere, copy the folder that "
        f"`fintone report --study {study_id} --output FOLDER` writes there."
    )
    create_markdown_artifact(text, key=REPORT_KEY, description=f"study {study_id}")
    announce(f"report: {page}")


def _note_dropped(drops: Sequence["DroppedCell"]) -> str:
    lines = "; ".join(f"{each.name}: {describe_drop(each.drop.epoch, each.drop.p_value)}" for each in drops)
    return f"\n\n**Race**: {escape(lines, MOST_OF_A_REASON)}." if drops else ""


def _note_missing(missing: Sequence["StoredCell"]) -> str:
    return f"\n\n**{escape(describe_lost_cells(missing), MOST_OF_A_REASON)}.**" if missing else ""


def _describe_promotion(decision: dict[str, Any] | None, champion: Champion | None, repeats: Repeats | None) -> str:
    """A paragraph with the decision of the promotion gate, and the champion at the time of writing."""
    holder = f"The champion when this was published: {describe_champion(champion)}."
    if decision is None:
        unjudged = describe_repeats_unjudged(repeats) if repeats else "not judged, since cells are missing"
        return f"\n\n**Promotion**: {unjudged}. {holder}"
    reason = escape(decision["reason"], MOST_OF_A_REASON)
    return f"\n\n**Promotion**: {describe_decision(decision)}. Reason: {reason}. {holder}"


def _render_leaderboard(rows: Sequence[dict[str, Any]]) -> str:
    """The leaderboard as Markdown, so that both Prefect UIs show its names correctly."""
    shown = [_table_row(row) for row in rows]
    return render_table(list(shown[0]), [list(row.values()) for row in shown])


def _table_row(row: dict[str, Any]) -> dict[str, str]:
    """A row of the leaderboard as the Prefect UI shows it, with few enough columns to be seen at once."""
    return {
        "model": f"{CHAMPION + ' ' if row['is_champion'] else ''}{escape(row['cell_name'])}",
        "T": "" if row["temperature"] is None else f"{row['temperature']:g}",
        "accuracy": format_figure(row["accuracy"]),
        "95 %": f"{format_figure(row['accuracy_low'])}{UNBROKEN}{format_figure(row['accuracy_high'])}",
        "macro-F1": format_figure(row["macro_f1"]),
        "expected": format_figure(row["expected_accuracy"]),
        "unparsed": format_figure(row["unparsed_rate"]),
        "cell": row["cell_id"],
    }


def _summarise(
    study: StudyPlan, source: str, best: Chosen, test: list[dict[str, Any]], verdict: BaselineVerdict | None
) -> str:
    """The answer in a few lines: the cell that validation chose, its test figures, and whether it beats baselines."""
    [judged] = [row for row in test if (row["cell_id"], row["temperature"]) == (best.cell_id, best.temperature)]
    worth = f" {describe_baseline('It', verdict)}." if verdict else ""
    return (
        f"## {escape(best.name)}\n\nBest on validation, of study `{study.study_id}` ({source}).\n\n"
        f"On {judged['n']} test headlines at temperature {judged['temperature']:g}: accuracy "
        f"{judged['accuracy']:.3f} (95 % interval {judged['accuracy_low']:.3f} to {judged['accuracy_high']:.3f}), "
        f"macro-F1 {judged['macro_f1']:.3f}.{worth}\n\nCell `{best.cell_id}`."
    )

"""Renders the report of a study as one page. It reads no warehouse and draws no chart."""

from typing import Any

from markupsafe import Markup

from reporting.desk import answer_desk
from reporting.figures import Chart
from reporting.lacking import describe_lacking
from reporting.licences import describe_data_licence, describe_model_licence
from reporting.market import summarise_market
from reporting.promotion import describe_champion, describe_decision, describe_match
from reporting.template import render
from reporting.text import visible
from reporting.usable import describe_usable
from reporting.verdict import describe_baseline, describe_cutoffs, describe_leaks, describe_scarcity
from schemas.report import StudyReport, Table

_MOST_ROWS = 60
"""Rows of a chart's data that the page shows; the query gives them all."""


def render_page(report: StudyReport, charts: dict[str, list[Chart]], index: str | None) -> str:
    """The page, whole: styles and charts are in it.

    Args:
        report: The study with its results.
        charts: The charts of each section.
        index: The path of the page of all studies, relative to this page; None for no link to it.
    """
    return render(
        "report.html",
        report=report,
        tables=report.tables,
        charts={section: [_shown(chart) for chart in own] for section, own in charts.items()},
        answer=describe_answer(report),
        usable=describe_usable(report),
        lacking=describe_lacking(report),
        doubts=describe_doubts(report),
        questions=answer_desk(report),
        index=index,
        best=_chosen_row(report),
        baseline=_best_baseline(report),
        rival=report.decision if report.decision and describe_match(report.decision) else None,
        temperatures=sorted({row["temperature"] for row in _models(report) if row["temperature"] is not None}),
        models=_models(report),
        mix_ups={row["evaluation_id"]: row for row in report.tables["mix_ups"].records()},
        dropped=report.tables["dropped"].records(),
        baselines=[row for row in _models(report) if row["kind"] == "baseline"],
        published=_published(report),
        licences={
            "data": describe_data_licence(report.source, report.data.kind, synthetic=report.synthetic),
            "model": describe_model_licence(report.base_model),
        },
        market_verdict=summarise_market(report.tables["market"].records()),
    )


def describe_answer(report: StudyReport) -> str:
    """The answer of a study in a paragraph: which model, how sure, against the baseline and the champion.

    The gate's decision has its date; the champion is the one at the time when the page is built.
    """
    row, chosen = _chosen_row(report), report.chosen
    interval = f"95 % interval {row['accuracy_low']:.3f} to {row['accuracy_high']:.3f}"
    sentences = [
        f"Validation chose {row['model']} fine-tuned with {chosen.name} (cell {chosen.cell_id}).",
        f"On {row['n']:,} test headlines at temperature {chosen.temperature:g} its accuracy is {row['accuracy']:.3f}",
        f"({interval}) and its macro-F1 {row['macro_f1']:.3f}.",
    ]
    baseline = _best_baseline(report)
    if report.verdict:
        sentences.append(f"{describe_baseline('It', report.verdict)}.")
    elif baseline:
        sentences.append(
            f"The best baseline, {baseline['model']}, has {baseline['accuracy']:.3f}; no test compares them."
        )
    match = describe_match(report.decision) if report.decision else None
    if match:
        sentences.append(f"{match}.")
    if report.decision:
        sentences.append(f"{describe_decision(report.decision)}.")
    sentences.append(f"The champion when this page was built: {describe_champion(report.champion)}.")
    return visible(" ".join(sentences))


def describe_doubts(report: StudyReport) -> list[str]:
    """What weakens the figures of a study, a sentence each."""
    [leaks] = report.tables["leaks"].column("in_test")
    models = {row["model"] for row in _models(report) if row["kind"] != "baseline"}
    read = describe_cutoffs(report.tables["cutoffs"].rows, is_only=len(models) == 1)
    doubts = (describe_scarcity(report.tables["split"].rows), describe_leaks(leaks, _chosen_row(report)["n"]), *read)
    return [visible(f"Mind that {doubt}.") for doubt in doubts if doubt]


def _shown(chart: Chart) -> dict[str, Any]:
    table = chart.table
    return {
        "name": chart.name,
        "caption": chart.caption,
        "svg": Markup(chart.svg),  # noqa: S704 (its texts are escaped where it is drawn)
        "table": Table(table.sql, table.columns, table.rows[:_MOST_ROWS]),
        "left_out": max(0, len(table.rows) - _MOST_ROWS),
    }


def _models(report: StudyReport) -> list[dict[str, Any]]:
    return report.tables["leaderboard"].records()


def _chosen_row(report: StudyReport) -> dict[str, Any]:
    wanted = (report.chosen.cell_id, report.chosen.temperature)
    return next(row for row in _models(report) if (row["cell_id"], row["temperature"]) == wanted)


def _best_baseline(report: StudyReport) -> dict[str, Any] | None:
    ids = {each.cell_id for each in report.contenders if each.role == "best baseline"}
    return next((row for row in _models(report) if row["cell_id"] in ids), None)


def _published(report: StudyReport) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Published figures by kind, learning rate, epochs and temperature, where this study repeats their protocol."""
    if report.profile != "paper":
        return {}
    keys = ("kind", "learning_rate", "epochs", "temperature")
    return {tuple(row[key] for key in keys): row for row in report.tables["reproduction"].records()}

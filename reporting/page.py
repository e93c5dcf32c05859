"""The report of a study as one page: what stands where, and how figures are spelt. Asks no warehouse, draws no chart.

The page needs no network and runs no script. Every text in it that came from data is escaped by the template.
"""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reporting.figures import Chart
from reporting.licences import tell_data_licence, tell_model_licence
from reporting.promotion import tell_champion, tell_decision, tell_match
from reporting.text import visible
from reporting.verdict import format_figure, tell_baseline, tell_leaks, tell_scarcity
from schemas.report import StudyReport, Table

_MOST_ROWS = 60
"""Rows of a chart's data that the page shows; the query gives them all."""


def render_page(report: StudyReport, charts: dict[str, list[Chart]]) -> str:
    """The page, whole: styles and charts are in it."""
    environment = Environment(
        loader=PackageLoader("reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        figure=format_figure,
        share=_share,
        seconds=_seconds,
        number=_number,
        visible=visible,
        cell_name=_cell_name,
    )
    style = (Path(__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
    return environment.get_template("report.html").render(
        report=report,
        tables=report.tables,
        charts={section: [_shown(chart) for chart in own] for section, own in charts.items()},
        answer=tell_answer(report),
        best=_chosen_row(report),
        rival=report.decision if report.decision and tell_match(report.decision) else None,
        temperatures=sorted({row["temperature"] for row in _models(report) if row["temperature"] is not None}),
        models=_models(report),
        baselines=[row for row in _models(report) if row["kind"] == "baseline"],
        published=_published(report),
        licences={
            "data": tell_data_licence(report.source, report.data.kind, synthetic=report.synthetic),
            "model": tell_model_licence(report.base_model),
        },
        style=Markup(style),  # noqa: S704 (our own file)
        built_at=datetime.now(UTC),
        version=version("fintone"),
    )


def tell_answer(report: StudyReport) -> str:
    """The answer of a study in a paragraph: which model, how sure, against the baseline and the champion.

    What the gate decided is of its day; who is champion, of the day on which the page is built.
    """
    row, chosen = _chosen_row(report), report.chosen
    interval = f"95 % interval {row['accuracy_low']:.3f} to {row['accuracy_high']:.3f}"
    sentences = [
        f"Validation chose {row['model']} fine-tuned with {chosen.name} (cell {chosen.cell_id}).",
        f"On {row['n']:,} test headlines at temperature {chosen.temperature:g} its accuracy is {row['accuracy']:.3f}",
        f"({interval}) and its macro-F1 {row['macro_f1']:.3f}.",
    ]
    if report.verdict:
        sentences.append(f"{tell_baseline('It', report.verdict)}.")
    match = tell_match(report.decision) if report.decision else None
    if match:
        sentences.append(f"{match}.")
    if report.decision:
        sentences.append(f"{tell_decision(report.decision)}.")
    sentences.append(f"The champion when this page was built: {tell_champion(report.champion)}.")
    [leaks] = report.tables["leaks"].column("in_test")
    doubts = (tell_scarcity(report.tables["split"].rows), tell_leaks(leaks, row["n"]))
    sentences += [f"Mind that {doubt}." for doubt in doubts if doubt]
    if report.synthetic:
        sentences.append(
            "The headlines are generated: these figures say that the loop works, and nothing of real news."
        )
    return visible(" ".join(sentences))


def _shown(chart: Chart) -> dict[str, Any]:
    table = chart.table
    return {
        "name": chart.name,
        "caption": chart.caption,
        "svg": Markup(chart.svg),  # noqa: S704 (texts in it are escaped by what drew it)
        "table": Table(table.sql, table.columns, table.rows[:_MOST_ROWS]),
        "left_out": max(0, len(table.rows) - _MOST_ROWS),
    }


def _models(report: StudyReport) -> list[dict[str, Any]]:
    return report.tables["leaderboard"].records()


def _chosen_row(report: StudyReport) -> dict[str, Any]:
    wanted = (report.chosen.cell_id, report.chosen.temperature)
    return next(row for row in _models(report) if (row["cell_id"], row["temperature"]) == wanted)


def _published(report: StudyReport) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Published figures by kind, learning rate, epochs and temperature, where this study repeats their protocol."""
    if report.profile != "paper":
        return {}
    keys = ("kind", "learning_rate", "epochs", "temperature")
    return {tuple(row[key] for key in keys): row for row in report.tables["reproduction"].records()}


def _cell_name(row: dict[str, Any]) -> str:
    return visible(row["cell_name"])


def _share(value: float) -> str:
    return f"{value:.1%}"


def _number(value: Any) -> str:
    """A cell of a table of data: whole numbers whole, others with up to six digits, texts as they can be seen."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return visible(str(value))


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"

"""Captions and descriptions of charts, which a screen reader reads: their figures are those of the warehouse."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from operations.report import read_report
from reporting.charts.curves import MOST_SERIES
from reporting.figures import Chart, build_charts
from schemas.promotion import Champion
from schemas.report import StudyReport, Table
from tests.asking import ask


@pytest.fixture
def report(rivals: Path, trained: Any) -> StudyReport:
    """The report of a study whose champion is another cell."""
    return read_report(trained[2].study_id)


def find(report: StudyReport) -> dict[str, Chart]:
    return {chart.name: chart for charts in build_charts(report).values() for chart in charts}


def replace_table(report: StudyReport, **tables: Table) -> StudyReport:
    return replace(report, tables={**report.tables, **tables})


def test_confusions_have_the_right_answers_of_each_cell(report: StudyReport, rivals: Path) -> None:
    charts, chosen = find(report), report.chosen
    [(right, total)] = ask(
        rivals,
        "SELECT count(*) FILTER (label = predicted), count(*) FROM predictions "
        f"WHERE part = 'test' AND cell_id = '{chosen.cell_id}' AND temperature = {chosen.temperature}",
    )
    chart = next(each for name, each in charts.items() if name.endswith("fine_tuned"))
    assert chart.description == f"Confusion matrix of chosen: {chosen.name}: {right} of {total} on the diagonal."
    assert chart.caption == f"Answers to each label: chosen: {chosen.name}, T\u00a0=\u00a0{chosen.temperature:g}."
    baselines = [each for name, each in charts.items() if name.startswith("confusion") and "baseline" in name]
    assert baselines
    assert not any("T\u00a0=" in each.caption or "chosen" in each.caption for each in baselines)


def test_reliability_and_coverage_have_the_figures_of_every_temperature(report: StudyReport, rivals: Path) -> None:
    charts, cell = find(report), f"part = 'test' AND cell_id = '{report.chosen.cell_id}'"
    errors = ask(
        rivals,
        f"SELECT expected_calibration_error, temperature FROM calibration_summary WHERE {cell} ORDER BY temperature",
    )
    halves = ask(
        rivals, f"SELECT accuracy, temperature FROM coverage WHERE {cell} AND coverage = 0.5 ORDER BY temperature"
    )
    assert len(errors) == len(halves) == 3
    listed = "; ".join(f"expected calibration error {error:.3f} at temperature {t:g}" for error, t in errors)
    assert charts["calibration"].description == f"Reliability diagram: {listed}."
    listed = "; ".join(f"{accuracy:.3f} at temperature {t:g}" for accuracy, t in halves)
    assert charts["coverage"].description == f"Accuracy against coverage; of the surest half: {listed}."


def test_the_overview_names_the_best_and_a_champion_that_is_chosen_has_both_roles(report: StudyReport) -> None:
    best, *others = report.tables["overview"].records()
    assert all(each["accuracy"] <= best["accuracy"] for each in others)
    chart = find(report)["overview"]
    assert chart.description.endswith(f"the best first: {best['cell_name']} with {best['accuracy']:.3f}.")
    assert f"of {1 + len(others)} cells and baselines at " in chart.description
    own = replace(report, champion=Champion(report.chosen.cell_id, report.chosen.temperature))
    assert "chosen, champion<" not in chart.file
    assert "chosen, champion<" in find(own)["overview"].file
    nobody = replace(report, champion=None, contenders=report.contenders[:1])
    captions = [find(each)["overview"].caption for each in (own, nobody)]
    assert ["A star marks the champion. " in caption for caption in captions] == [True, False]


def test_curves_name_their_highest_point_and_published_figures_are_shown_for_the_paper_only(
    report: StudyReport,
) -> None:
    columns = ("temperature", "epochs", "seeds", "accuracy", "accuracy_low", "accuracy_high", "macro_f1")
    bounds = ("macro_f1_low", "macro_f1_high")
    rows = [
        (0.1, 1, 1, 0.7, 0.6, 0.8, 0.5, 0.4, 0.6),
        (0.1, 2, 1, 0.9, 0.8, 0.95, 0.6, 0.5, 0.7),
        (1.0, 2, 1, 0.8, 0.7, 0.9, 0.75, 0.6, 0.8),
    ]
    curve = replace_table(report, epochs=Table("", (*columns, *bounds), rows))
    assert "accuracy_by_epoch" not in find(replace_table(report, epochs=Table("", (*columns, *bounds), rows[1:])))
    charts = find(curve)
    assert charts["accuracy_by_epoch"].description.endswith("highest 0.900 after 2 epochs at temperature 0.1.")
    assert charts["macro_f1_by_epoch"].description.endswith("highest 0.750 after 2 epochs at temperature 1.")
    assert "epochs=" not in charts["accuracy_by_epoch"].caption
    assert "published" not in charts["accuracy_by_epoch"].file
    assert "published" in find(replace(curve, profile="paper"))["accuracy_by_epoch"].file


@pytest.mark.parametrize("more", [0, 1, 3])
def test_trainings_beyond_those_with_a_colour_are_counted(report: StudyReport, more: int) -> None:
    cells = [f"cell {number}" for number in range(MOST_SERIES + more)]
    loss = Table("", ("cell_name", "step", "loss", "cell_id"), [(cell, 1, 1.0, cell) for cell in cells])
    trainings = Table(
        "", ("training_cell_id", "cell_name", "steps", "cell_id"), [(cell, cell, 1, cell) for cell in cells]
    )
    caption = find(replace_table(report, loss=loss, trainings=trainings))["training_loss"].caption
    ends = {0: "or where it diverged.", 1: " 1 more training is grey.", 3: " 3 more trainings are grey."}
    assert caption.endswith(ends[more])


def test_accuracy_over_time_has_its_first_and_last_period_and_what_was_scored_since(report: StudyReport) -> None:
    columns = ("cell_id", "origin", "period", "begins", "n", "accuracy", "accuracy_low", "accuracy_high")
    chosen, base = report.contenders[0].cell_id, next(each for each in report.contenders if each.role == "base")
    rows = [
        (chosen, "test", "month", datetime(2025, 3, 1), 40, 0.8, 0.7, 0.9),  # noqa: DTZ001 (as DuckDB gives them)
        (chosen, "test", "month", datetime(2025, 4, 1), 1200, 0.7, 0.6, 0.8),  # noqa: DTZ001
        (base.cell_id, "test", "month", datetime(2025, 4, 1), 1200, 0.3, 0.2, 0.4),  # noqa: DTZ001
    ]
    chart = find(replace_table(report, periods=Table("", columns, rows)))["accuracy_over_time"]
    assert chart.description == (
        f"Accuracy of chosen: {report.chosen.name} by month of publication: 0.800 on the 40 headlines of the month "
        "from 01 March 2025; 0.700 on the 1,200 headlines of the month from 01 April 2025."
    )
    assert "Hollow" not in chart.caption
    rows.insert(2, (chosen, "scored", "month", datetime(2025, 5, 1), 9, 0.6, 0.3, 0.8))  # noqa: DTZ001
    chart = find(replace_table(report, periods=Table("", columns, rows)))["accuracy_over_time"]
    assert chart.description.endswith(
        "0.600 on the 9 headlines of what was scored since of the month from 01 May 2025."
    )
    assert "Hollow" in chart.caption

"""Which charts a report has, with what each shows in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reporting.charts import (
    draw_calibration,
    draw_confusion,
    draw_coverage,
    draw_epochs,
    draw_loss,
    draw_temperatures,
)
from reporting.text import visible
from reporting.theme import save_image, to_page, to_svg
from schemas.report import StudyReport, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Chart:
    """A chart with its name in files, its words, and the table that it shows."""

    name: str
    caption: str
    description: str
    table: Table
    figure: "Figure"

    @cached_property
    def file(self) -> str:
        """The chart as an SVG file."""
        return to_svg(self.figure, self.name)

    @property
    def svg(self) -> str:
        """The chart as an element of a page."""
        return to_page(self.file, self.name, self.description)


def build_charts(report: StudyReport) -> dict[str, list[Chart]]:
    """The charts of each section of the page; a section without data has none."""
    return {
        "epochs": list(_epochs(report)),
        "temperature": list(_temperature(report)),
        "confusion": list(_confusions(report)),
        "confidence": list(_confidence(report)),
        "loss": list(_loss(report)),
    }


def save_charts(charts: dict[str, list[Chart]], folder: Path) -> list[Path]:
    """Write every chart as SVG and PNG into a folder, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [chart.name for section in charts.values() for chart in section]
    for section in charts.values():
        for chart in section:
            (folder / f"{chart.name}.svg").write_text(chart.file, encoding="utf-8")
            save_image(chart.figure, chart.name, folder)
    return [folder / f"{name}{ending}" for name in names for ending in (".svg", ".png")]


def _epochs(report: StudyReport) -> Iterator[Chart]:
    table, published = report.tables["epochs"], report.tables["published"]
    shown = published if report.profile == "paper" else None
    of = " ".join(word for word in report.chosen.name.split() if not word.startswith(("epochs=", "seed=")))
    if len(set(table.column("epochs"))) < 2:  # noqa: PLR2004 (a curve has two points)
        return
    for measure, words in (("accuracy", "Accuracy"), ("macro_f1", "Macro-F1")):
        best = max(table.records(), key=lambda row: row[measure])
        yield Chart(
            f"{measure}_by_epoch",
            f"{words} on test by epochs{of and f', {of}'}, with 95 % bands: the settings of the chosen cell.",
            f"{words} by epochs: highest {best[measure]:.3f} after {best['epochs']} epochs at temperature "
            f"{best['temperature']:g}.",
            table,
            draw_epochs(table, shown, measure, f"{words} by epoch{of and f', {of}'}"),
        )


def _temperature(report: StudyReport) -> Iterator[Chart]:
    table = report.tables["temperatures"]
    yield Chart(
        "accuracy_over_temperature",
        "Expected accuracy on test over the sampling temperature: the mean over all draws, in closed form. The best "
        "cells, and the untouched base where it is among them.",
        "Expected accuracy over temperature: it falls towards guessing as the temperature rises.",
        table,
        draw_temperatures(table, "Expected accuracy over temperature"),
    )


def _confusions(report: StudyReport) -> Iterator[Chart]:
    table = report.tables["confusion"]
    by_cell: dict[str, list[dict[str, object]]] = {}
    for row in table.records():
        by_cell.setdefault(row["cell_id"], []).append(row)
    for number, rows in enumerate(by_cell.values()):
        kind = str(rows[0]["kind"])
        named = "chosen fine-tune" if kind == "fine-tuned" else visible(str(rows[0]["cell_name"]))
        right = sum(row["n"] for row in rows if row["label"] == row["predicted"])  # type: ignore[misc]
        total = sum(row["n"] for row in rows)  # type: ignore[misc]
        yield Chart(
            f"confusion_{number}_{kind.replace('-', '_')}",
            f"Answers to each label: {named}.",
            f"Confusion matrix of {named}: {right} of {total} on the diagonal.",
            table,
            draw_confusion(rows, named),
        )


def _confidence(report: StudyReport) -> Iterator[Chart]:
    calibration, coverage = report.tables["calibration"], report.tables["coverage"]
    summary = "; ".join(
        f"expected calibration error {row['expected_calibration_error']:.3f} at temperature {row['temperature']:g}"
        for row in report.tables["calibration_summary"].records()
    )
    yield Chart(
        "calibration",
        "Reliability of the chosen fine-tune: how often answers of a confidence are right. A larger mark stands for "
        "more headlines.",
        f"Reliability diagram: {summary}.",
        calibration,
        draw_calibration(calibration, "Reliability"),
    )
    half = [row for row in coverage.records() if row["coverage"] == 0.5]  # noqa: PLR2004
    told = "; ".join(f"{row['accuracy']:.3f} at temperature {row['temperature']:g}" for row in half)
    yield Chart(
        "coverage",
        "Accuracy of the chosen fine-tune if only its surest answers count.",
        f"Accuracy against coverage; of the surest half: {told}.",
        coverage,
        draw_coverage(coverage, "Accuracy against coverage"),
    )


def _loss(report: StudyReport) -> Iterator[Chart]:
    table = report.tables["loss"]
    if table.rows:
        yield Chart(
            "training_loss",
            "Training loss by cell. Cells that share their training lie on one another.",
            "Training loss by optimiser step, a line a cell.",
            table,
            draw_loss(table, "Training loss"),
        )

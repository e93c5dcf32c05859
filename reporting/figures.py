"""The charts of a report, each with its caption and a description in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reporting.charts.confidence import FEW, draw_calibration
from reporting.charts.confusion import draw_confusion
from reporting.charts.curves import MOST_SERIES, best_lines, draw_coverage, draw_epochs, draw_loss, draw_temperatures
from reporting.charts.layout import NARROW, WIDE, Layout
from reporting.charts.market import draw_events
from reporting.charts.overview import STARRED, draw_overview
from reporting.charts.periods import PeriodLine, draw_periods
from reporting.text import format_temperature, visible
from reporting.theme import save_image, settle_layout, to_page, to_svg
from schemas.listing import count
from schemas.report import Contender, StudyReport, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLED = "the share of right answers in one draw"


@dataclass(frozen=True)
class Chart:
    """A chart: its file name, its texts, the table that it shows, and the function that draws it."""

    name: str
    caption: str
    description: str
    table: Table
    draw: Callable[[Layout], "Figure"]
    is_small: bool = False
    """Whether a wide page and a phone show the same drawing."""

    @cached_property
    def figure(self) -> "Figure":
        """The chart for a page."""
        return settle_layout(self.draw(WIDE))

    @cached_property
    def file(self) -> str:
        """The chart as an SVG file."""
        return to_svg(self.figure, self.name)

    @property
    def svg(self) -> str:
        """The chart as an element of a page, and a second one for phones: styles show one of the two."""
        if self.is_small:
            return to_page(self.file, self.name, self.description)
        narrow = to_svg(settle_layout(self.draw(NARROW)), f"{self.name}-narrow")
        return to_page(self.file, self.name, self.description, "wide") + to_page(
            narrow, f"{self.name}-narrow", self.description, "narrow"
        )


def build_charts(report: StudyReport) -> dict[str, list[Chart]]:
    """The charts of each section of the page; a section without data has none."""
    return {
        "overview": [_overview(report)],
        "time": list(_time(report)),
        "epochs": list(_epochs(report)),
        "temperature": [_temperature(report)],
        "confusion": list(_confusions(report)),
        "confidence": list(_confidence(report)),
        "loss": list(_loss(report)),
        "market": list(_market(report)),
    }


def save_charts(charts: dict[str, list[Chart]], folder: Path) -> None:
    """Write every chart as SVG and PNG into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for section in charts.values():
        for chart in section:
            (folder / f"{chart.name}.svg").write_text(chart.file, encoding="utf-8")
            save_image(chart.figure, chart.name, folder)


def _overview(report: StudyReport) -> Chart:
    table, at = report.tables["overview"], format_temperature(report.chosen.temperature)
    rows = table.records()
    roles: dict[str, list[str]] = {}
    for each in (each for each in report.contenders if each.role != "base"):  # a base's name says that it is one
        roles.setdefault(each.cell_id, []).append(each.role)
    if report.champion and report.champion.cell_id == report.chosen.cell_id:
        roles[report.chosen.cell_id].append("champion")
    rivals = [row["accuracy"] for row in rows if "best baseline" in roles.get(row["cell_id"], ())]
    best = rows[0]
    star = next((role for role in STARRED if any(role in own for own in roles.values())), None)
    starred = f"A star marks the {star}. " if star else ""
    return Chart(
        "overview",
        f"Every cell and baseline at {at}: {SAMPLED}, with its 95 % interval, the best first. {starred}"
        "The dashed line is the best baseline, the dotted one guessing. Baselines have no temperature.",
        f"Accuracy of {len(rows)} cells and baselines at {at}, the best first: {visible(best['cell_name'])} with "
        f"{best['accuracy']:.3f}.",
        table,
        lambda layout: draw_overview(
            rows, roles, layout, f"Accuracy of every cell and baseline, {at}", next(iter(rivals), None), report.guessing
        ),
    )


def _time(report: StudyReport) -> Iterator[Chart]:
    table, at = report.tables["periods"], format_temperature(report.chosen.temperature)
    if not table.rows:
        return
    roles = {each.cell_id: each for each in reversed(report.contenders)}
    lines: list[PeriodLine] = []
    for (cell_id, origin), rows in groupby(table.records(), key=lambda row: (row["cell_id"], row["origin"])):
        named = roles[cell_id]
        is_fresh = origin == "scored"
        lines.append(PeriodLine(_describe_line(named, is_fresh=is_fresh), list(rows), is_fresh))
    period = lines[0].rows[0]["period"]
    followed = [row for line in lines for row in line.rows if row["cell_id"] == lines[0].rows[0]["cell_id"]]
    since = ""
    if any(line.is_fresh for line in lines):
        since = (
            " Hollow: how often the cell's most likely labels are right on labelled headlines that it has scored "
            "since, without those of its study."
        )
    yield Chart(
        "accuracy_over_time",
        f"Accuracy by {period} of publication, with 95 % intervals, on the dated headlines of test at {at}. Points of "
        f"one {period} are side by side; baselines have no temperature.{since}",
        f"Accuracy of {lines[0].name} by {period} of publication: {_describe_point(followed[0])}; "
        f"{_describe_point(followed[-1])}.",
        table,
        lambda layout: draw_periods(lines, layout, f"Accuracy by {period} of publication, {at}", report.guessing),
    )


def _describe_line(named: Contender, *, is_fresh: bool) -> str:
    """The name of a line, without a role for bases and baselines, whose names give it."""
    if is_fresh:
        return f"{named.role} cell, scored since"
    begins = {"base": "", "best baseline": "best "}.get(named.role, f"{named.role}: ")
    return visible(f"{begins}{named.name}")


def _describe_point(row: dict[str, Any]) -> str:
    since = " of what was scored since" if row["origin"] == "scored" else ""
    when = f"the {row['period']} from {row['begins']:%d %B %Y}"
    return f"{row['accuracy']:.3f} on the {row['n']:,} headlines{since} of {when}"


def _epochs(report: StudyReport) -> Iterator[Chart]:
    table, published = report.tables["epochs"], report.tables["published"]
    shown = published if report.profile == "paper" else None
    settings = " ".join(word for word in report.chosen.name.split() if not word.startswith(("epochs=", "seed=")))
    suffix = f", {visible(settings)}" if settings else ""
    if len(set(table.column("epochs"))) < 2:  # noqa: PLR2004 (a curve has two points)
        return
    intervals = _describe_intervals(max(table.column("seeds")))
    for measure, words in (("accuracy", "Accuracy"), ("macro_f1", "Macro-F1")):
        best = max(table.records(), key=lambda row: row[measure])
        yield Chart(
            f"{measure}_by_epoch",
            f"{words} on test by epochs{suffix}, with {intervals}, at each temperature T: the settings of the "
            "chosen cell. Points of one epoch are side by side.",
            f"{words} by epochs: highest {best[measure]:.3f} after {best['epochs']} epochs at temperature "
            f"{best['temperature']:g}.",
            table,
            lambda layout, measure=measure, words=words: draw_epochs(  # type: ignore[misc]
                table, shown, measure, layout, f"{words} by epochs, at each temperature T{suffix}"
            ),
        )


def _describe_intervals(seeds: int) -> str:
    """What the bars of a point by epochs are."""
    return "95 % intervals" if seeds == 1 else "the mean over seeds and the range that covers their 95 % intervals"


def _temperature(report: StudyReport) -> Chart:
    table, chosen = report.tables["temperatures"], report.chosen.cell_id
    lines = best_lines(table, [each.cell_id for each in report.contenders], chosen)
    own = [row for row in table.records() if row["cell_id"] == chosen]
    listed = "; ".join(f"{row['expected_accuracy']:.3f} at temperature {row['temperature']:g}" for row in own)
    return Chart(
        "accuracy_over_temperature",
        f"Expected accuracy on test over the sampling temperature: the mean over all draws. The base, the chosen cell, "
        f"the champion and the best others, {MOST_SERIES} lines at most. Lines within .01 of each other everywhere "
        "are one. Answers that are no label count as neutral: where most answers are none, a line comes near the share "
        "of neutral headlines.",
        f"Expected accuracy of the chosen cell over temperature: {listed}.",
        table,
        lambda layout: draw_temperatures(
            lines, layout, "Expected accuracy over the sampling temperature", report.guessing
        ),
    )


def _confusions(report: StudyReport) -> Iterator[Chart]:
    table, at = report.tables["confusion"], format_temperature(report.chosen.temperature)
    by_cell: dict[str, list[dict[str, object]]] = {}
    for row in table.records():
        by_cell.setdefault(row["cell_id"], []).append(row)
    for number, (cell_id, rows) in enumerate(by_cell.items()):
        kind, name = str(rows[0]["kind"]), visible(str(rows[0]["cell_name"]))
        named = f"chosen: {name}" if cell_id == report.chosen.cell_id else name
        titled = named if kind == "baseline" else f"{named}, {at}"
        right = sum(row["n"] for row in rows if row["label"] == row["predicted"])  # type: ignore[misc]
        total = sum(row["n"] for row in rows)  # type: ignore[misc]
        yield Chart(
            f"confusion_{number}_{kind.replace('-', '_')}",
            f"Answers to each label: {titled}.",
            f"Confusion matrix of {named}: {right} of {total} on the diagonal.",
            table,
            lambda _, rows=rows, titled=titled: draw_confusion(rows, titled),  # type: ignore[misc]
            is_small=True,
        )


def _confidence(report: StudyReport) -> Iterator[Chart]:
    calibration, coverage = report.tables["calibration"], report.tables["coverage"]
    summary = "; ".join(
        f"expected calibration error {row['expected_calibration_error']:.3f} at temperature {row['temperature']:g}"
        for row in report.tables["calibration_summary"].records()
    )
    yield Chart(
        "calibration",
        "Reliability of the chosen fine-tune at each temperature T: how often answers of a confidence are right, with "
        "95 % intervals. On the dotted line, confidence equals accuracy. The number above is the headlines of the "
        f"bin; a bin of fewer than {FEW} is hollow and on no line. An answer that is no label counts as neutral.",
        f"Reliability diagram: {summary}.",
        calibration,
        lambda layout: draw_calibration(
            calibration, layout, "Reliability of the chosen fine-tune, at each temperature T"
        ),
    )
    half = [row for row in coverage.records() if row["coverage"] == 0.5]  # noqa: PLR2004
    listed = "; ".join(f"{row['accuracy']:.3f} at temperature {row['temperature']:g}" for row in half)
    yield Chart(
        "coverage",
        "Accuracy of the chosen fine-tune if only its surest answers count, at each temperature T.",
        f"Accuracy against coverage; of the surest half: {listed}.",
        coverage,
        lambda layout: draw_coverage(coverage, layout, "Accuracy of the surest answers, at each temperature T"),
    )


def _market(report: StudyReport) -> Iterator[Chart]:
    table = report.tables["market_events"]
    if not table.rows:
        return
    ends = {row["direction"]: row for row in table.records()}  # the last session of each
    listed = "; ".join(
        f"{direction} news {row['abnormal_return']:+z.2%} after {row['session_offset']} sessions"
        for direction, row in ends.items()
    )
    yield Chart(
        "market_events",
        "Prices around days of strong sentiment: mean cumulative abnormal returns, with 95 % bootstrap bands. What is "
        "known at the close of day 0 can be acted on from day 1.",
        f"Cumulative abnormal returns from five sessions before days of strong sentiment on: {listed}.",
        table,
        lambda layout: draw_events(table, layout, "Prices around days of strong sentiment"),
    )


def _loss(report: StudyReport) -> Iterator[Chart]:
    table, trainings = report.tables["loss"], report.tables["trainings"]
    if not table.rows:
        return
    of_cell = {row["cell_id"]: row["training_cell_id"] for row in trainings.records()}
    first = of_cell.get(report.chosen.cell_id, "")
    others = len(set(of_cell.values())) - MOST_SERIES
    grey = f" {count(others, 'more training is', 'more trainings are')} grey." if others > 0 else ""
    yield Chart(
        "training_loss",
        "Training loss, which depends on no temperature. Cells that differ in their epochs only and share their "
        f"training are one line; a mark shows where each of them ends, or where it diverged.{grey}",
        "Training loss by optimiser step, one line per training.",
        table,
        lambda layout: draw_loss(table, trainings, first, layout, "Training loss (no temperature)"),
    )

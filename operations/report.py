"""The report of a study: read from the warehouse, drawn, and written to a folder. Runs without Prefect and torch."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from operations.missing import describe_lack, find_best
from operations.report_index import write_index
from schemas.errors import InputError
from schemas.files import appearing_files
from schemas.report import StudyReport
from storage.home import Home

if TYPE_CHECKING:
    from storage.cells import StoredCell

CHARTS, PAGE, REPRODUCTION = "charts", "index.html", "reproduction.md"
ALL_STUDIES = f"../{PAGE}"
"""The path of the page of all studies, relative to the page of one study in the home."""
ACT_AT = 0.9
"""Default confidence from which a desk acts on an answer."""


class ConfidenceError(InputError):
    """The confidence from which the desk acts is not one that the warehouse has figures for."""


def write_report(study: str | None = None, output: Path | None = None, act_at: float = ACT_AT) -> Path:
    """Write the page of a study, its charts as SVG and PNG, and the table of published figures beside measured ones.

    In the home, the page of all studies is written too.

    Args:
        study: The study's id, the beginning of it, or its name; the one that ran last when None.
        output: The folder; that of the study in the home when None.
        act_at: Confidence from which the desk acts on an answer, from 0 to .99 in hundredths.

    Returns:
        The page.

    Raises:
        InputError: There is no such study, the confidence is not valid, or the folder cannot be written.
        NothingTrainedError: No fine-tuned cell of it has been evaluated.
    """
    return save_report(read_report(study, act_at), output)


def save_report(report: StudyReport, output: Path | None = None) -> Path:
    """Write the page of a study with its charts, as `write_report` does, and return the page."""
    from reporting.figures import build_charts, save_charts
    from reporting.page import render_page
    from reporting.reproduction import render_reproduction

    home, charts = Home.from_environment(), build_charts(report)
    page = home.report(report.study_id) if output is None else output / PAGE
    index = ALL_STUDIES if output is None else None
    with appearing_files(page.parent) as unfinished:
        save_charts(charts, unfinished / CHARTS)
        (unfinished / REPRODUCTION).write_text(render_reproduction(report), encoding="utf-8")
        text = render_page(report, charts, index)
        (unfinished / PAGE).write_text(text, encoding="utf-8")  # it comes last: where it is, the report is
    if output is None:
        write_index(home)
    return page


def read_report(study: str | None = None, act_at: float = ACT_AT) -> StudyReport:
    """What the page of a study shows; arguments and errors are those of `write_report`."""
    from learning.study.naming import explain_abbreviated
    from storage.lookup import find_study
    from storage.report import load_report
    from storage.warehouse import reading_together

    _check_confidence(act_at)
    home = Home.from_environment()
    with reading_together(home.warehouse):
        study_id = find_study(home.warehouse, study)
        missing, unanswered = _describe_missing(home, study_id)
        report = load_report(home.warehouse, study_id, find_best(home.warehouse, study_id), missing, act_at)
        settings = report.tables["abbreviated"].records()
    named = ((row["cell_name"], json.loads(row["settings"])) for row in settings)
    return replace(report, unanswered=unanswered, abbreviated=explain_abbreviated(named))


def _check_confidence(act_at: float) -> None:
    if act_at not in {hundredth / 100 for hundredth in range(100)}:
        raise ConfidenceError(f"confidence {act_at:g}: must be from 0 to 0.99 in steps of 0.01, such as 0.9")


def _describe_missing(home: Home, study_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cells that a study lacks, in words, and those that no run can evaluate."""
    from storage.cells import load_missing

    missing, every = (load_missing(home.warehouse, study_id, with_final=final) for final in (False, True))
    return _describe_cells(missing), _describe_cells([cell for cell in every if cell not in missing])


def _describe_cells(cells: Sequence["StoredCell"]) -> tuple[str, ...]:
    return tuple(f"{cell.record.name}: {describe_lack(cell)}" for cell in cells)

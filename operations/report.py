"""The report of a study: read from the warehouse, drawn, and written to a folder. Runs without Prefect and torch."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from operations.missing import find_best
from schemas.files import appearing_files
from schemas.report import Chosen, StudyReport
from storage.home import Home

if TYPE_CHECKING:
    from storage.cells import StoredCell

CHARTS, PAGE, REPRODUCTION = "charts", "index.html", "reproduction.md"


def write_report(study: str | None = None, output: Path | None = None) -> Path:
    """Write the page of a study, its charts as SVG and PNG, and the table of published figures beside measured ones.

    Args:
        study: The study's id, or its first characters; the one that ran last when None.
        output: The folder; that of the study in the home when None.

    Returns:
        The page.

    Raises:
        InputError: There is no such study, or the folder cannot be written.
        NothingTrainedError: No fine-tuned cell of it has been evaluated.
    """
    from reporting.figures import build_charts, save_charts
    from reporting.page import render_page
    from reporting.reproduction import render_reproduction
    from storage.report import find_study

    home = Home.from_environment()
    study_id = find_study(home.warehouse, study)
    report = _load(home, study_id)
    charts = build_charts(report)
    page = home.report(study_id) if output is None else output / PAGE
    texts = {REPRODUCTION: render_reproduction(report), PAGE: render_page(report, charts)}
    with appearing_files(page.parent) as unfinished:
        save_charts(charts, unfinished / CHARTS)
        for name, text in texts.items():  # the page comes last: where it is, the report is
            (unfinished / name).write_text(text, encoding="utf-8")
    return page


def load_answer(study_id: str) -> str:
    """The answer of a study in a paragraph, as at the beginning of its page; see `write_report`."""
    from reporting.page import tell_answer

    return tell_answer(_load(Home.from_environment(), study_id))


def _load(home: Home, study_id: str) -> "StudyReport":
    """What the report of a study is made of."""
    from storage.report import load_report

    missing, unanswered = _tell_missing(home, study_id)
    report = load_report(home.warehouse, study_id, choose_cell(home, study_id), missing)
    return replace(report, unanswered=unanswered)


def choose_cell(home: Home, study_id: str) -> Chosen:
    """The cell that is best on validation, and the temperature at which it is.

    Raises:
        NothingTrainedError: None has been evaluated.
    """
    best = find_best(home.warehouse, study_id)
    return Chosen(best["cell_id"], best["name"], best["temperature"])


def _tell_missing(home: Home, study_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cells that a study lacks, in words, and those that no run can evaluate."""
    from storage.cells import load_missing

    missing, every = (load_missing(home.warehouse, study_id, with_final=final) for final in (False, True))
    return _tell_cells(missing), _tell_cells([cell for cell in every if cell not in missing])


def _tell_cells(cells: Sequence["StoredCell"]) -> tuple[str, ...]:
    return tuple(f"{cell.record.name}: {cell.reason or cell.status}" for cell in cells)

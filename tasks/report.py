"""The report of a study: read from the warehouse, drawn, and written to a folder. Runs without Prefect and torch."""

from pathlib import Path

from schemas.errors import FailureError, InputError
from schemas.plan import name_cell
from schemas.report import Chosen
from storage.home import Home

CHARTS, PAGE, REPRODUCTION = "charts", "index.html", "reproduction.md"


class NothingToReportError(FailureError):
    """No fine-tuned cell of the study has been evaluated."""


class ReportPlaceError(InputError):
    """The report cannot be written there."""


def write_report(study: str | None = None, output: Path | None = None) -> Path:
    """Write the page of a study, its charts as SVG and PNG, and the table of published figures beside measured ones.

    Args:
        study: The study's id, or its first characters; the one that ran last when None.
        output: The folder; that of the study in the home when None.

    Returns:
        The page.

    Raises:
        InputError: There is no such study, or the folder cannot be written.
        NothingToReportError: No fine-tuned cell of it has been evaluated.
    """
    from reporting.figures import build_charts, save_charts
    from reporting.page import render_page
    from reporting.reproduction import render_reproduction
    from storage.report import find_study, load_report

    home = Home.from_environment()
    study_id = find_study(home.warehouse, study)
    report = load_report(home.warehouse, study_id, choose_cell(home, study_id), _tell_missing(home, study_id))
    charts = build_charts(report)
    page = home.report(study_id) if output is None else output / PAGE
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        save_charts(charts, page.parent / CHARTS)
        (page.parent / REPRODUCTION).write_text(render_reproduction(report), encoding="utf-8")
        unfinished = page.with_suffix(".tmp")  # the page comes last and whole: where it is, the report is
        unfinished.write_text(render_page(report, charts), encoding="utf-8")
        unfinished.replace(page)
    except OSError as error:
        raise ReportPlaceError(f"output {page.parent}: {error.strerror}; give a folder that can be written") from error
    return page


def choose_cell(home: Home, study_id: str) -> Chosen:
    """The cell that is best on validation, and the temperature at which it is.

    Raises:
        NothingToReportError: None has been evaluated.
    """
    from learning.grid import best_row
    from storage.evaluations import load_selection

    rows = load_selection(home.warehouse, study_id)
    if not rows:
        raise NothingToReportError(
            f"study {study_id}: no fine-tuned cell is evaluated yet; let `fintone run` finish it"
        )
    best = best_row(rows)
    return Chosen(**{name: best[name] for name in ("cell_id", "temperature", "learning_rate", "epochs", "seed")})


def _tell_missing(home: Home, study_id: str) -> tuple[str, ...]:
    from storage.studies import load_missing

    told = []
    for cell in load_missing(home.warehouse, study_id, with_final=True):
        record = cell.record
        named = name_cell(record.kind, record.model, record.learning_rate, record.epochs, record.seed)
        told.append(f"{named}: {cell.reason or cell.status}")
    return tuple(told)

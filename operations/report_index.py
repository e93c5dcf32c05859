"""The page of all studies and champions of a home, `reports/index.html`."""

import logging
from pathlib import Path

from schemas.files import OutputError, appearing_file
from storage.home import Home

_log = logging.getLogger("fintone.reports")


def write_index(home: Home) -> Path:
    """Write the page of all studies again, and return it.

    Raises:
        OutputError: It cannot be written.
    """
    from reporting.index_page import render_index
    from storage.report_index import load_index

    index = load_index(home.warehouse)
    reported = {study_id for study_id in index.studies.column("study_id") if home.report(study_id).exists()}
    with appearing_file(home.report_index) as unfinished:
        unfinished.write_text(render_index(index, reported), encoding="utf-8")
    return home.report_index


def renew_index(home: Home) -> None:
    """Write the page of all studies again if there is one: what it shows has changed. That it fails undoes nothing."""
    if home.report_index.exists():
        try:
            write_index(home)
        except OutputError as error:
            _log.warning("the page of all studies stays as it was: %s", error)

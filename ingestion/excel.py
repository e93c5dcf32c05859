"""Excel workbooks (.xlsx): bytes in, the rows of one sheet out. Judges no label and computes no formula."""

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

from ingestion.columns import SAMPLE_ROWS
from ingestion.headers import find_header, name_columns
from ingestion.reasons import describe_reason
from ingestion.rows import TableRows
from ingestion.tables import read_table
from schemas.config import DataSettings
from schemas.errors import InputError

Cells = Iterator[Sequence[Any]]

_PARTS = {"[Content_Types].xml", "xl/workbook.xml"}
_BROKEN = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,  # the base of the XML parser's errors
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What openpyxl lets through when the parts of a workbook are not what they should be."""


class ExcelError(InputError):
    """An Excel workbook is broken."""


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether a zip archive is an Excel workbook."""
    return set(archive.namelist()) >= _PARTS


def read_workbook(content: bytes, source: str, settings: DataSettings) -> TableRows:
    """Give the rows of the first sheet with a row that names a text and a label column; blank rows are none.

    Raises:
        ExcelError: If the workbook is broken; also while the rows are read.
        MissingColumnError: If no sheet has both columns.
    """
    with _told(source):
        names, rows = _find_table(content, settings)
    return read_table(names, _iter_cells(rows, source), source, settings)


def _find_table(content: bytes, settings: DataSettings) -> tuple[list[str], Cells]:
    """The header and the rows of the sheet that has both columns, or else the first rows of the first that has any."""
    from openpyxl import load_workbook

    first: list[Sequence[Any]] = []
    for sheet in load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets:
        sheet.reset_dimensions()  # some programs write them wrong, and openpyxl would believe them
        cells = sheet.iter_rows(values_only=True, min_row=settings.header_row or 1)
        rows = (row for row in cells if any(cell not in {None, ""} for cell in row))
        head = list(islice(rows, SAMPLE_ROWS))
        place = find_header(head, settings)
        if place is not None:
            return name_columns(head[place]), chain(head[place + 1 :], rows)
        first = first or head
    return name_columns(first[0] if first else ()), iter(first[1:])


def _iter_cells(rows: Cells, source: str) -> Cells:
    while True:
        with _told(source):
            row = next(rows, None)
        if row is None:
            return
        yield row


@contextmanager
def _told(source: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings(action="ignore"):  # openpyxl warns of styles and extensions that hold no text
            yield
    except _BROKEN as error:
        raise ExcelError(
            f"source {source!r} is an Excel workbook that cannot be read ({describe_reason(error)}): "
            "save it again, or as CSV"
        ) from None

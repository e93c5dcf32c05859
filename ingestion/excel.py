"""Excel workbooks (.xlsx): bytes in, the rows of the sheets that hold headlines out."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, NamedTuple

from ingestion.columns import SAMPLE_ROWS, MissingColumnError, Table
from ingestion.headers import find_header, name_columns
from ingestion.rows import TableRows
from ingestion.tables import read_table
from ingestion.workbooks import Sheet, TooManyTagsError, open_sheets
from schemas.columns import join_columns
from schemas.errors import InputError
from schemas.listing import list_some
from schemas.reasons import describe_reason
from schemas.source import DataSettings

Cells = Iterator[Sequence[Any]]

_PARTS = {"[Content_Types].xml", "xl/workbook.xml"}
_BROKEN = (
    ArithmeticError,
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
"""What openpyxl raises when parts of a workbook are malformed."""


class ExcelError(InputError):
    """An Excel workbook is broken, or holds more than a file of its size should."""


class _Table(NamedTuple):
    """A sheet, the names of its columns (its first row if no row names those that are needed), and the rows below."""

    sheet: Sheet
    names: list[str]
    has_header: bool
    rows: Cells


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether a zip archive is an Excel workbook."""
    return set(archive.namelist()) >= _PARTS


def read_workbook(content: bytes, source: str, settings: DataSettings) -> TableRows:
    """Give the rows of every sheet with a row that names the same text and label columns; blank rows are skipped.

    The first sheet that has both columns decides which they are. Hidden sheets are not read.

    Returns:
        The rows in order, with the sheets that are not read, each with the reason; empty sheets are not listed.

    Raises:
        ExcelError: If the workbook is broken or too large for its bytes; also while the rows are read.
        MissingColumnError: If no sheet has both columns.
    """
    with _workbook_errors(source):
        tables = [table for sheet in open_sheets(content) if (table := _open_table(sheet, settings)).names]
    shown = [table for table in tables if not table.sheet.is_hidden]
    found = {
        table.sheet.name: read_table(table.names, _iter_cells(table.rows, source), source, settings)
        for table in shown
        if table.has_header
    }
    if not found:
        raise _no_table(tables, source, settings)
    first = next(iter(found.values()))
    read = {name: table for name, table in found.items() if _column_names(table) == _column_names(first)}
    unread = tuple(_describe_unread(table.sheet) for table in tables if table.sheet.name not in read)
    every_row = chain.from_iterable(table.rows for table in read.values())
    framed = dict.fromkeys(words for table in read.values() for words in table.not_read)
    return TableRows(every_row, join_columns(table.columns for table in read.values()), (*framed, *unread))


def _no_table(tables: Sequence[_Table], source: str, settings: DataSettings) -> MissingColumnError:
    """The error for a workbook without the columns that are needed: what its first sheet has instead."""
    names, cells = next(((table.names, table.rows) for table in tables if not table.sheet.is_hidden), ([], iter(())))
    first = list(islice(_iter_cells(cells, source), SAMPLE_ROWS))
    hidden = [table.sheet.name for table in tables if table.sheet.is_hidden and table.has_header]
    besides = f"; hidden sheets are not read: {list_some(hidden)}" if hidden else ""
    return MissingColumnError(f"source {source!r} {Table(names, first, settings).describe_missing()}{besides}")


def _open_table(sheet: Sheet, settings: DataSettings) -> _Table:
    rows = sheet.rows(settings.header_row or 1)
    head = list(islice(rows, SAMPLE_ROWS))
    place = find_header(head, settings)
    names = name_columns(head[place or 0]) if head else []
    return _Table(sheet, names, place is not None, chain(head[(place or 0) + 1 :], rows))


def _column_names(table: TableRows) -> tuple[str | None, ...]:
    """The names of the text and the label column, case and padding ignored."""
    names = (table.columns.text, table.columns.label)
    return tuple(None if name is None else name.strip().casefold() for name in names)


def _describe_unread(sheet: Sheet) -> str:
    return f"sheet {sheet.name!r} ({'hidden' if sheet.is_hidden else 'other columns'})"


def _iter_cells(rows: Cells, source: str) -> Cells:
    while True:
        with _workbook_errors(source):
            row = next(rows, None)
        if row is None:
            return
        yield row


@contextmanager
def _workbook_errors(source: str) -> Iterator[None]:
    """Turn what openpyxl raises in the block into one line."""
    try:
        with warnings.catch_warnings(action="ignore"):  # openpyxl warns of styles and extensions that hold no text
            yield
    except TooManyTagsError as error:
        raise ExcelError(
            f"source {source!r} is an Excel workbook with {error}: if you trust it, save it as CSV"
        ) from None
    except _BROKEN as error:
        raise ExcelError(
            f"source {source!r} is an Excel workbook that cannot be read ({describe_reason(error)}): "
            "save it again, or as CSV"
        ) from None

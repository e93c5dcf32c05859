"""Cells with a type, as JSON, Parquet and Excel have them, to raw rows."""

import json
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

from ingestion.cells import Uncomputed, is_blank, is_empty
from ingestion.columns import SAMPLE_ROWS, Columns, choose_columns
from ingestion.label_groups import Cells
from ingestion.labels import label_word
from ingestion.rows import RawRow, TableRows, broken_row
from schemas.source import DataSettings

_CELLS = json.JSONEncoder(ensure_ascii=False, default=str)


def read_table(names: Sequence[str], rows: Iterable[Sequence[Any]], source: str, settings: DataSettings) -> TableRows:
    """Give the rows that are not blank in order, each with its cells as a JSON array for raw row.

    Args:
        names: The names of the columns.
        rows: The cells of each row; a row shorter than the header has empty cells from there on.
        source: The source, for the error.
        settings: Which columns hold text and label.

    Raises:
        MissingColumnError: If a column that is needed is missing.
    """
    remaining = (row for row in rows if not is_blank(row))
    first = list(islice(remaining, SAMPLE_ROWS))
    columns = choose_columns(source, names, first, settings)
    read = (_read_cells(row, names, columns) for row in chain(first, remaining))
    return TableRows(read, columns.read)


def _read_cells(row: Sequence[Any], names: Sequence[str], columns: Columns) -> RawRow:
    cells = [*row, *[None] * (len(names) - len(row))]
    raw = _CELLS.encode(cells)
    uncomputed = [names[place] for place in columns.places if isinstance(cells[place], Uncomputed)]
    if uncomputed:
        return broken_row(raw, f"formula that was never computed in {uncomputed[0]!r}")
    return label_cells(cells, raw, names, columns)


def label_cells(cells: Cells, raw: str, names: Sequence[str], columns: Columns) -> RawRow:
    """The row of cells with types.

    Args:
        cells: At least those that are read, by their place.
        raw: The row as it was.
        names: The names of all columns.
        columns: Which hold text and label.
    """
    label = None if columns.label is None else cells[columns.label]
    row = typed_row(cells[columns.text], label, raw, names[columns.text])
    return columns.group.label(row, cells) if columns.group else row


def read_objects(
    elements: Iterable[tuple[Any, str]], first: Sequence[Any], source: str, settings: DataSettings
) -> TableRows:
    """Give a row for each JSON value with its raw text; blank objects are skipped, and other values have a defect.

    Args:
        elements: The values in order.
        first: The first of them, whose keys are the columns; a key that only some have is a column too.
        source: The source, for the error.
        settings: Which keys hold text and label.

    Raises:
        MissingColumnError: If a key that is needed is missing.
    """
    objects = [value for value in first[:SAMPLE_ROWS] if isinstance(value, dict)]
    names = list(dict.fromkeys(name for value in objects for name in value))
    columns = choose_columns(source, names, [[value.get(name) for name in names] for value in objects], settings)
    read = (
        _read_object(value, raw, names, columns)
        for value, raw in elements
        if not (isinstance(value, dict) and is_blank(value.values()))
    )
    return TableRows(read, columns.read)


def _read_object(value: Any, raw: str, names: Sequence[str], columns: Columns) -> RawRow:
    if isinstance(value, dict):
        return label_cells({place: value.get(names[place]) for place in columns.places}, raw, names, columns)
    return broken_row(raw, "not a JSON object")


def typed_row(text: Any, label: Any, raw: str, text_name: str) -> RawRow:
    """The row of two cells: its text must be a string, its label may also be a number (whole ones without decimals).

    An empty cell means that there is no label, even if a label map names the empty word.
    """
    if not isinstance(text, str):
        return broken_row(raw, f"no text in {text_name!r}")
    word = None if is_empty(label) else label_word(label)
    if not (_is_unicode(text) and _is_unicode(word or "")):
        return broken_row(raw, "half a surrogate pair, which is not Unicode")
    return RawRow(text, word, raw)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

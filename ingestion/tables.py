"""Cells with a type, as JSON, Parquet and Excel have them: raw rows out. Reads no file and judges no label."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ingestion.columns import choose_columns
from ingestion.rows import RawRow, broken_row
from schemas.config import DataSettings

_CELLS = json.JSONEncoder(ensure_ascii=False, default=str)


def read_table(
    names: Sequence[str], rows: Iterable[Sequence[Any]], source: str, settings: DataSettings
) -> Iterator[RawRow]:
    """Give the rows in order, each with its cells as a JSON array for raw row.

    Args:
        names: The names of the columns.
        rows: The cells of each row; one that is shorter than the header is empty from there on.
        source: The source, for the error.
        settings: Which columns hold text and label.

    Raises:
        MissingColumnError: If a column is missing that is needed.
    """
    text_place, label_place = choose_columns(source, names, settings)
    return (_read_cells(row, names, text_place, label_place) for row in rows)


def _read_cells(row: Sequence[Any], names: Sequence[str], text_place: int, label_place: int | None) -> RawRow:
    cells = [*row, *[None] * (len(names) - len(row))]
    label = None if label_place is None else cells[label_place]
    return typed_row(cells[text_place], label, _CELLS.encode(cells), names[text_place])


def typed_row(text: Any, label: Any, raw: str, text_name: str) -> RawRow:
    """The row of two cells: its text must be a string, its label may also be a number, whole ones without decimals."""
    if not isinstance(text, str):
        return broken_row(raw, f"no text in {text_name!r}")
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    word = label if isinstance(label, str) else json.dumps(label, default=str)
    if not (_is_unicode(text) and _is_unicode(word)):
        return broken_row(raw, "half a surrogate pair, which is not Unicode")
    return RawRow(text, word, raw)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

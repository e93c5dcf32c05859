"""Turns cells with a type, as in JSON, Parquet and Excel, into raw rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from ingestion.cells import Uncomputed, is_blank
from ingestion.columns import SAMPLE_ROWS
from ingestion.fields import Fields, find_fields
from ingestion.rows import RawRow, TableRows, broken_row
from schemas.source import DataSettings

_CELLS = json.JSONEncoder(ensure_ascii=False, default=str)


def read_table(names: Sequence[str], rows: Iterable[Sequence[Any]], source: str, settings: DataSettings) -> TableRows:
    """Give the rows that are not blank in order, each with its cells as a JSON array in `raw`.

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
    fields = find_fields(source, names, first, settings)
    read = (_read_cells(row, names, fields) for row in chain(first, remaining))
    return TableRows(read, fields.read, fields.frame.describe())


def _read_cells(row: Sequence[Any], names: Sequence[str], fields: Fields) -> RawRow:
    cells = [*row, *[None] * (len(names) - len(row))]
    raw = _CELLS.encode(cells)
    uncomputed = [names[place] for place in fields.places if isinstance(cells[place], Uncomputed)]
    if uncomputed:
        return broken_row(raw, f"formula that was never computed in {uncomputed[0]!r}")
    return fields.make_row(cells, raw)


def read_objects(
    elements: Iterable[tuple[Any, str]], first: Sequence[Any], source: str, settings: DataSettings
) -> TableRows:
    """Give a row for each JSON value with its raw text; blank objects are skipped, and other values have a defect.

    Args:
        elements: The values in order.
        first: The first values, whose keys are the columns, even if only some have a key.
        source: The source, for the error.
        settings: Which keys hold text and label.

    Raises:
        MissingColumnError: If a key that is needed is missing.
    """
    objects = [value for value in first[:SAMPLE_ROWS] if isinstance(value, dict)]
    names = list(dict.fromkeys(name for value in objects for name in value))
    fields = find_fields(source, names, [[value.get(name) for name in names] for value in objects], settings)
    keys = {place: names[place] for place in fields.taken}
    read = (
        _read_object(value, raw, fields, keys)
        for value, raw in elements
        if not (isinstance(value, dict) and is_blank(value.values()))
    )
    return TableRows(read, fields.read, fields.frame.describe())


def _read_object(value: Any, raw: str, fields: Fields, keys: Mapping[int, str]) -> RawRow:
    if isinstance(value, dict):
        return fields.make_row({place: value.get(key) for place, key in keys.items()}, raw)
    return broken_row(raw, "not a JSON object")

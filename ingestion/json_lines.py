"""JSON lines, one object a headline: text in, raw rows out. Reads no file and judges no label."""

import json
from collections.abc import Iterator
from typing import Any

from ingestion.columns import choose_columns
from ingestion.encodings import LINE_ENDS, Text
from ingestion.rows import RawRow, broken_row
from ingestion.tables import typed_row
from schemas.config import DataSettings


def is_json_lines(text: Text) -> bool:
    """Whether the first line is a JSON object."""
    return _parse(text.first_line()) is not None


def read_json_lines(text: Text, source: str, settings: DataSettings) -> Iterator[RawRow]:
    """Give the rows in order; blank lines are none. The first object's keys say which hold text and label.

    Raises:
        MissingColumnError: If the first object has no key for the text or none for the label.
    """
    names = list(_parse(text.first_line()) or ())
    text_place, label_place = choose_columns(source, names, settings)
    text_key, label_key = names[text_place], None if label_place is None else names[label_place]
    return (_read_line(line.rstrip(LINE_ENDS), text_key, label_key) for line in text.lines() if line.strip())


def _read_line(raw: str, text_key: str, label_key: str | None) -> RawRow:
    value = _parse(raw)
    if value is None:
        return broken_row(raw, "not a JSON object")
    return typed_row(value.get(text_key), None if label_key is None else value.get(label_key), raw, text_key)


def _parse(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

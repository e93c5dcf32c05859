"""A JSON array of objects, one a headline: text in, raw rows out. Reads no file and judges no label."""

import json
import re
from collections.abc import Iterator
from typing import Any

from ingestion.columns import choose_columns
from ingestion.encodings import Text
from ingestion.rows import RawRow, broken_row
from ingestion.tables import typed_row
from schemas.config import DataSettings
from schemas.errors import InputError

_START = re.compile(r"\s*\[\s*(?=\{)")
_COMMA = re.compile(r"\s*,\s*")
_END = re.compile(r"\s*\]\s*\Z")


class JsonArrayError(InputError):
    """A JSON array breaks off."""


def is_json_array(text: Text) -> bool:
    """Whether the text begins like an array of objects."""
    return _START.match(text.head()) is not None


def read_json_array(text: Text, source: str, settings: DataSettings) -> Iterator[RawRow]:
    """Give the rows in order. The first object's keys say which hold text and label.

    Raises:
        JsonArrayError: If the array is no valid JSON.
        MissingColumnError: If the first object has no key for the text or none for the label.
    """
    elements = list(_iter_elements(text.whole(), source))
    names = list(elements[0][0])
    text_place, label_place = choose_columns(source, names, settings)
    text_key, label_key = names[text_place], None if label_place is None else names[label_place]
    return (_read_element(value, raw, text_key, label_key) for value, raw in elements)


def _read_element(value: Any, raw: str, text_key: str, label_key: str | None) -> RawRow:
    if isinstance(value, dict):
        return typed_row(value.get(text_key), None if label_key is None else value.get(label_key), raw, text_key)
    return broken_row(raw, "not a JSON object")


def _iter_elements(text: str, source: str) -> Iterator[tuple[Any, str]]:
    """Yield each element of the array with its own text."""
    decoder = json.JSONDecoder()
    separator = _START.match(text)
    end = 0
    while separator:
        start = separator.end()
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            raise _broken(source, start) from None
        yield value, text[start:end]
        separator = _COMMA.match(text, end)
    if not _END.match(text, end):
        raise _broken(source, end)


def _broken(source: str, place: int) -> JsonArrayError:
    return JsonArrayError(
        f"source {source!r} is a JSON array that is no valid JSON from character {place + 1:,} on: "
        "mend it, or write it as JSON lines"
    )

"""A JSON array of objects, one a headline: text in, raw rows out."""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from ingestion.columns import SAMPLE_ROWS
from ingestion.encodings import Text
from ingestion.json_text import DECODER
from ingestion.rows import TableRows
from ingestion.tables import read_objects
from schemas.errors import InputError
from schemas.source import DataSettings

_START = re.compile(r"\s*\[\s*(?=\{)")
_COMMA = re.compile(r"\s*,\s*")
_END = re.compile(r"\s*\]\s*\Z")


class JsonArrayError(InputError):
    """A JSON array is not valid JSON."""


def is_json_array(text: Text) -> bool:
    """Whether the text begins like an array of objects."""
    return _START.match(text.head()) is not None


def read_json_array(text: Text, source: str, settings: DataSettings) -> TableRows:
    """Give the rows that are not blank in order. The keys of the first objects say which hold text and label.

    Raises:
        JsonArrayError: If the array is not valid JSON.
        MissingColumnError: If the first objects have no key for the text or none for the label.
    """
    elements = ((value, raw) for value, raw in _iter_elements(text.whole(), source) if value is not None)
    first = list(islice(elements, SAMPLE_ROWS))
    return read_objects(chain(first, elements), [value for value, _ in first], source, settings)


def _iter_elements(text: str, source: str) -> Iterator[tuple[Any, str]]:
    """Yield each element of the array with its own text."""
    separator = _START.match(text)
    end = 0
    while separator:
        start = separator.end()
        try:
            value, end = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            raise _broken(source, start) from None
        yield value, text[start:end]
        separator = _COMMA.match(text, end)
    if not _END.match(text, end):
        raise _broken(source, end)


def _broken(source: str, place: int) -> JsonArrayError:
    return JsonArrayError(
        f"source {source!r} is a JSON array that is not valid JSON from character {place + 1:,} on: "
        "mend it, or write it as JSON lines"
    )

"""JSON documents other than arrays of objects: text in, raw rows out, by the shapes of `ingestion.json_shapes`."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from ingestion.columns import MissingColumnError
from ingestion.encodings import Text
from ingestion.json_lines import are_objects, parse_first
from ingestion.json_shapes import Shape, describe_document, find_shapes
from ingestion.json_text import DECODER, MOST_VALUES, holds_too_many
from ingestion.labels import LabelWords
from ingestion.rows import TableRows
from ingestion.tables import read_objects
from schemas.errors import InputError
from schemas.source import DataSettings

_STRING = r"\"(?:[^\"\\\n]|\\.)*\""
_START = re.compile(
    rf"\s*(?:\{{\s*(?:{_STRING}\s*:|\}}\s*\Z|\Z)|\[\s*(?:\]\s*\Z|\Z|{_STRING}\s*(?:,\s*(?:\"|\Z)|\]\s*\Z)"
    rf"|\[\s*(?:{_STRING}\s*,|-?\d|null\b)))"
)
"""The beginning of an object, or of an array of texts or of arrays, and not of a headline in brackets."""
_FILLED = re.compile(r"\S")
_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_REMEDY = 'write it as JSON lines, one object a headline: {"text": "...", "label": "..."}'


class JsonDocumentError(InputError):
    """A JSON document is broken, too large, or of no shape that is read."""


def begins_as_json(text: Text) -> bool:
    """Whether the text begins like a JSON document of any shape."""
    return _START.match(text.head()) is not None


def is_json_document(text: Text, settings: DataSettings) -> bool:
    """Whether a text is one JSON document rather than an object a line, judged by its beginning.

    An object in a single line is a headline if it names its text at the top, or if it has no shape of a document.
    """
    if not begins_as_json(text):
        return False
    parsed = parse_first(text)
    if not are_objects(parsed):
        return True
    first = parsed[0] if len(parsed) == 1 else None
    return first is not None and not _is_headline(first, settings)


def _is_headline(value: dict[str, Any], settings: DataSettings) -> bool:
    """Whether an object in a single line is one headline."""
    flat = {key: each for key, each in value.items() if not isinstance(each, dict | list)}
    if _reads(Shape("flat", lambda: iter([flat])), settings):
        return True
    *shapes, itself = find_shapes(value, LabelWords.of(settings)) or [Shape("", lambda: iter([value]))]
    return not any(_reads(shape, settings) for shape in shapes) and _reads(itself, settings)


def read_json_document(text: Text, source: str, settings: DataSettings) -> tuple[str, TableRows]:
    """The name of the kind, and the rows that are not blank, in order.

    Raises:
        JsonDocumentError: If it is not valid JSON, too large, of no shape that is read, or of several.
        MissingColumnError: If its shape has no place for the text or none for the label.
    """
    content = text.whole()
    if holds_too_many(content):
        raise JsonDocumentError(
            f"source {source!r} is one JSON document with over {MOST_VALUES:,} values, too many to hold at once: "
            f"{_REMEDY}"
        )
    documents = list(_iter_documents(content, source, settings))
    if len(documents) > 1:
        return "json objects", read_objects(documents, [value for value, _ in documents], source, settings)
    [(document, _)] = documents
    shapes = find_shapes(document, LabelWords.of(settings))
    if not shapes:
        raise JsonDocumentError(f"source {source!r} is {describe_document(document)}, which is not read: {_REMEDY}")
    read = _choose_shapes(shapes, source, settings)
    name, tables = ", ".join(shape.name for shape, _ in read), [table for _, table in read]
    rows = chain.from_iterable(table.rows for table in tables)
    return f"json ({name})", tables[0]._replace(rows=rows)


def _iter_documents(content: str, source: str, settings: DataSettings) -> Iterator[tuple[Any, str]]:
    """Yield each value of a text that holds one or more, with its own text."""
    lines = "" if settings.is_labelled else f"use {settings.option('format', 'lines')} if each line is a headline, "
    start = _skip_blank(content, 0)
    while start < len(content):
        try:
            value, end = DECODER.raw_decode(content, start)
        except (ValueError, RecursionError) as error:
            place = getattr(error, "pos", start)
            raise JsonDocumentError(
                f"source {source!r} is JSON that is not valid from character {place + 1:,} on: mend it, {lines}or "
                f"{_REMEDY}"
            ) from None
        yield value, content[start:end]
        start = _skip_blank(content, end)


def _skip_blank(content: str, place: int) -> int:
    """The place of the next character that is not white space, or the end."""
    found = _FILLED.search(content, place)
    return found.start() if found else len(content)


def _choose_shapes(shapes: Sequence[Shape], source: str, settings: DataSettings) -> list[tuple[Shape, TableRows]]:
    """The first shape that names the columns that are needed, and all lists with the same columns if it is a list."""
    found: list[tuple[Shape, TableRows]] = []
    missing: MissingColumnError | None = None
    for shape in shapes:
        if found and not (shape.is_list and found[0][0].is_list):
            break
        try:
            found.append((shape, _read_shape(shape, source, settings)))
        except MissingColumnError as error:
            missing = missing or MissingColumnError(f"{error} (it was read as {shape.name})")
    if not found:
        raise missing or AssertionError("there is a shape")
    others = [shape.name for shape, table in found if _columns_of(table) != _columns_of(found[0][1])]
    if others:
        raise JsonDocumentError(
            f"source {source!r} is a JSON object with several lists of headlines, {found[0][0].name} and "
            f"{' and '.join(others)}, whose columns differ: save the one that is meant in a file of its own"
        )
    return found


def _columns_of(table: TableRows) -> tuple[str | None, str | None]:
    return table.columns.text, table.columns.label


def _read_shape(shape: Shape, source: str, settings: DataSettings) -> TableRows:
    return read_objects(((value, _spell(value)) for value in shape.objects()), shape.first(), source, settings)


def _spell(value: Any) -> str:
    """A value as JSON. Half a surrogate pair is escaped, unless it stands for a byte that is not text."""
    return _HALVES.sub(lambda half: f"\\u{ord(half.group()):04x}", _ENCODE(value))


def _reads(shape: Shape, settings: DataSettings) -> bool:
    """Whether a shape names the columns that are needed."""
    try:
        _read_shape(shape, "", settings)
    except MissingColumnError:
        return False
    return True

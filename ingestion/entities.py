"""Rows whose label cell is an object with a label for each of several entities become one row for each entity."""

import ast
import json
from collections.abc import Iterable, Sequence
from typing import Any

from ingestion.cells import is_empty, is_unicode
from ingestion.labels import LabelWords, label_word
from ingestion.rows import RawRow

OF_ENTITIES = "a label for each entity"
_FITTING = 0.5
"""Least share of a column's values that must be such objects."""
_LONGEST = 10_000
"""Characters of the longest object that is read."""


def read_entities(cell: Any) -> dict[str, str]:
    """The label word of each entity in an object, which may be written as JSON or Python; empty for anything else.

    An entity without a label is left out. Half a surrogate pair is not text, so that an object with one is none.
    """
    value = _parse(cell) if isinstance(cell, str) else cell
    if not isinstance(value, dict):
        return {}
    found = {str(entity).strip(): word for entity, word in value.items() if not is_empty(word)}
    if not all(entity and isinstance(word, str | int | float) for entity, word in found.items()):
        return {}
    words = {entity: label_word(word) for entity, word in found.items()}
    return words if all(map(is_unicode, (*words, *words.values()))) else {}


def expand_entities(rows: Sequence[RawRow], numbers: Sequence[int]) -> tuple[Sequence[RawRow], Sequence[int]]:
    """The rows and their numbers; a row with labels of several entities is replaced by one row for each entity."""
    found = {row.label: read_entities(row.label) for row in rows if row.label and row.label.lstrip().startswith("{")}
    if not any(found.values()):
        return rows, numbers
    expanded = [
        (each, number)
        for row, number in zip(rows, numbers, strict=True)
        for each in _expand(row, found.get(row.label or ""))
    ]
    return [row for row, _ in expanded], [number for _, number in expanded]


def hold_entities(cells: Iterable[Any], words: LabelWords) -> bool:
    """Whether most values are objects whose values are all known labels."""
    filled = [cell for cell in cells if not is_empty(cell)]
    fitting = sum(_has_labels(cell, words) for cell in filled)
    return fitting > 0 and fitting >= _FITTING * len(filled)


def are_entities(cells: Iterable[Any], words: LabelWords) -> bool:
    """Whether nested values are such objects rather than records; all records have a key in common."""
    objects = [cell for cell in cells if isinstance(cell, dict) and not is_empty(cell)]
    if not objects or not hold_entities(objects, words):
        return False
    shared = set.intersection(*({key for key, value in each.items() if value is not None} for each in objects))
    return not shared


def _expand(row: RawRow, labels: dict[str, str] | None) -> list[RawRow]:
    if not labels:
        return [row]
    return [row._replace(label=word, instrument=" ".join(entity.split())) for entity, word in labels.items()]


def _has_labels(cell: Any, words: LabelWords) -> bool:
    if not isinstance(cell, dict) and not (isinstance(cell, str) and cell.lstrip().startswith("{")):
        return False
    found = read_entities(cell)
    return bool(found) and all(map(words.knows, found.values()))


def _parse(text: str) -> Any:
    """The value of a text in JSON or as Python writes it; None for any other."""
    if len(text) > _LONGEST:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None

"""The shapes in which one JSON document may hold headlines, each as objects with a key for each column."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from ingestion.columns import SAMPLE_ROWS
from ingestion.labels import LabelWords
from ingestion.nesting import are_messages
from schemas.listing import list_some

_MOST_DEPTH = 3
"""Most objects around the one that holds headlines."""
_MOST_KINDS = 50
"""If more lists of a document differ in the keys of their objects, it is not read as lists."""
_MOSTLY = 0.5
"""Least share of a list's elements that must be objects: each of the others is a row without a headline."""
_KEY = "key"
"""The column of the key of an object, unless the object has a column of that name."""


class Shape(NamedTuple):
    """How a document may be read: the shape in words, and its objects, which can be read more than once."""

    name: str
    objects: Callable[[], Iterator[Any]]
    is_list: bool = False
    """Whether it is a list of objects; a document may have several."""

    def first(self) -> list[Any]:
        """The first objects."""
        return list(islice(self.objects(), SAMPLE_ROWS))


def find_shapes(document: Any, words: LabelWords) -> list[Shape]:
    """The shapes that a document may have, the likeliest first; empty for one that holds no values."""
    if isinstance(document, dict):
        return list(_shapes_of_object(document, words)) if document else []
    return list(_shapes_of_array(document)) if isinstance(document, list) else []


def describe_document(document: Any) -> str:
    """Describe a document that has no known shape."""
    if isinstance(document, dict):
        return "an empty JSON object"
    if isinstance(document, list):
        return "a JSON array whose elements are not all objects, texts or arrays" if document else "an empty JSON array"
    return "a single JSON value"


def _shapes_of_array(array: list[Any]) -> Iterator[Shape]:
    if _are(str, array):
        yield Shape("list of texts", lambda: ({"text": text} for text in array))
    if _are(list, array):
        names, *rows = array
        yield Shape("rows below their names", lambda: _name_cells(names, rows))


def _shapes_of_object(document: dict[str, Any], words: LabelWords, depth: int = 0) -> Iterator[Shape]:
    are_objects = _are(dict, document.values())
    keyed = Shape("objects by key", lambda: ({_KEY: key, **value} for key, value in document.items()))
    if are_objects and len(document) > 1:
        columns = list(_columns_of_objects(document))
        has_numbers = all(key.isdecimal() for value in document.values() for key in value)
        yield from [*columns, keyed] if has_numbers else [keyed, *columns]
    yield from _lists_of_objects(document)
    names, rows = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(rows, list) and _are(list, rows):
        yield Shape("rows beside their names", lambda: _name_cells(names, rows))
    yield from _columns_of_lists(document, words)
    if are_objects and len(document) == 1:
        yield keyed
        yield from _columns_of_objects(document)
    if _are(str, document.values()) and all(map(words.knows, document.values())):
        yield Shape("labels by text", lambda: ({"text": text, "label": word} for text, word in document.items()))
    within = [value for value in document.values() if isinstance(value, dict)]
    if len(within) == 1 and depth < _MOST_DEPTH:
        yield from (shape for shape in _shapes_of_object(within[0], words, depth + 1) if not shape.is_list)
    if not depth:
        yield Shape("one object", lambda: iter([document]))


def _columns_of_lists(document: Mapping[str, Any], words: LabelWords) -> Iterator[Shape]:
    lists = {key: value for key, value in document.items() if isinstance(value, list) and _are_scalars(value)}
    if lists and all(map(words.knows, lists)):
        yield Shape("texts by label", lambda: _by_label(lists))
    elif lists and len(set(map(len, lists.values()))) == 1:
        rows = list(zip(*lists.values(), strict=True))
        yield Shape("columns", lambda: _name_cells(list(lists), rows))


def _columns_of_objects(document: Mapping[str, dict[str, Any]]) -> Iterator[Shape]:
    columns = list(document.values())
    keys = dict.fromkeys(key for column in columns for key in column)
    if all(_are_scalars(column.values()) for column in columns):
        yield Shape("columns", lambda: ({name: document[name].get(key) for name in document} for key in keys))


def _lists_of_objects(document: dict[str, Any]) -> list[Shape]:
    """The lists of objects in an object and in those within it; lists of objects with the same keys are one."""
    kinds: dict[frozenset[str], list[tuple[str, list[Any]]]] = {}
    for path, elements in _find_lists(document, ()):
        first = next(each for each in elements if isinstance(each, dict))
        kinds.setdefault(frozenset(first), []).append((".".join(path), elements))
    if len(kinds) > _MOST_KINDS:
        return []
    return [_join_lists(dict(found)) for found in kinds.values()]


def _join_lists(lists: Mapping[str, list[Any]]) -> Shape:
    name = f"list in {list_some(list(map(repr, lists)))}"
    return Shape(name, lambda: chain.from_iterable(lists.values()), is_list=True)


def _find_lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    if isinstance(value, list):
        objects = [each for each in value if isinstance(each, dict)]
        if objects and _MOSTLY * len(value) <= len(objects) and not are_messages(objects):
            yield path, value
    elif isinstance(value, dict) and len(path) < _MOST_DEPTH:
        for key, each in value.items():
            yield from _find_lists(each, (*path, key))


def _by_label(lists: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    return ({"text": text, "label": label} for label, texts in lists.items() for text in texts)


def _name_cells(names: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(map(str, names), row, strict=False)) for row in rows)


def _are(kind: type, values: Iterable[Any]) -> bool:
    """Whether there are values and all of them are of a kind."""
    every = list(values)
    return bool(every) and all(isinstance(value, kind) for value in every)


def _are_scalars(values: Iterable[Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in values)

"""Values within nested cells, by paths such as `sentiment.polarity`: the keys of objects, joined by dots.

A path leads through a list to the value that all its elements share; `info.0.score` is that of the first element. A
list of messages with roles, as chat models are trained on, is an object with a key for each role: `messages.user`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ingestion.cells import is_empty

MOST_DEPTH = 6
MOST_PATHS = 1_000
"""Deeper values and more paths of a column are not looked for."""

_MESSAGE_KEYS = (("role", "content"), ("from", "value"))
"""The keys of role and content in a message, in the formats of OpenAI and of ShareGPT."""
_LONGEST_PLACE = 9


class Several:
    """What a path finds where the elements of a list differ."""


SEVERAL = Several()

Path = tuple[str, ...]


def is_nested(cell: Any) -> bool:
    """Whether a cell is an object, or a list with an object in it."""
    return isinstance(cell, dict) or (isinstance(cell, list) and any(isinstance(each, dict) for each in cell))


def list_paths(cells: Iterable[Any]) -> list[Path]:
    """The paths to all values that are not nested themselves, in order; an empty path for a cell that is not."""
    found: dict[Path, bool] = {}
    for cell in cells:
        _collect(cell, (), found)
    parents = {path[:length] for path in found for length in range(len(path))}
    return [path for path, is_filled in found.items() if is_filled or path not in parents]


def follow(cell: Any, path: Sequence[str]) -> Any:
    """The value at the end of a path, None if there is none, or `SEVERAL`."""
    for place, key in enumerate(path):
        if isinstance(cell, list):
            return _follow_list(cell, path[place:])
        cell = cell.get(key) if isinstance(cell, dict) else None
    return cell


def are_messages(value: Any) -> bool:
    """Whether a value is a list of messages with roles."""
    return isinstance(value, list) and bool(value) and all(_message(each) is not None for each in value)


def _collect(value: Any, path: Path, found: dict[Path, bool]) -> None:
    """Add the paths below a value, and whether there is a value at their end."""
    children = list(_children(value)) if len(path) < MOST_DEPTH else []
    for key, child in children:
        _collect(child, (*path, key), found)
    if not children and (path in found or len(found) < MOST_PATHS):
        found[path] = found.get(path, False) or not is_empty(value)


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif are_messages(value):
        yield from filter(None, map(_message, value))
    elif is_nested(value):
        for each in value:
            yield from each.items() if isinstance(each, dict) else ()


def _message(value: Any) -> tuple[str, Any] | None:
    """The role and the content of a message; None for what is not one."""
    if isinstance(value, dict):
        for role, content in _MESSAGE_KEYS:
            if isinstance(value.get(role), str) and content in value:
                return value[role], value[content]
    return None


def _follow_list(elements: list[Any], path: Sequence[str]) -> Any:
    key = path[0]
    if key.isdecimal() and len(key) <= _LONGEST_PLACE:
        return follow(elements[int(key)], path[1:]) if int(key) < len(elements) else None
    if are_messages(elements):
        messages = filter(None, map(_message, elements))
        return _agree([follow(content, path[1:]) for role, content in messages if role == key])
    return _agree([follow(each, path) for each in elements])


def _agree(values: list[Any]) -> Any:
    """The value that all values agree on, empty ones aside; `SEVERAL` if they differ."""
    filled = [value for value in values if not is_empty(value)]
    if not filled:
        return None
    return filled[0] if all(value == filled[0] for value in filled) else SEVERAL

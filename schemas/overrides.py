"""Settings given one by one, as in `--set grid.epochs=1,3`: raw values out. Checks names, not values."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from schemas.errors import InputError
from schemas.listing import cut
from schemas.profiles import iterate_settings, unknown_setting
from schemas.yaml_text import YamlTextError, read_yaml


def apply_overrides(values: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Return a copy of a profile's raw values with each `any.setting=value` in its place; the last one wins.

    A value is read as YAML; a list may be written `[1,3]` or `1,3`; a text setting takes the words as they stand,
    unless they are empty, `null` or in quotes. Keys and values of a mapping are words: `{0: negative, no: neutral}`.

    Raises:
        InputError: An assignment has no equals sign, its setting is unknown, or its value is no YAML or too much of it.
    """
    fields = dict(iterate_settings())
    result = deepcopy(dict(values))
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        path = path.strip()
        if not equals:
            raise InputError(f"'{cut(assignment)}' sets nothing: write any.setting=value, as in grid.epochs=1,3")
        if path not in fields:
            raise InputError(unknown_setting(path))
        *groups, name = path.split(".")
        target = result
        for group in groups:
            target = target.setdefault(group, {})
        target[name] = _parse(path, text.strip(), fields[path])
    return result


def _parse(path: str, text: str, field: FieldInfo) -> Any:
    if field.annotation in (str, str | None) and text not in {"", "null"} and text[0] not in "\"'":
        return text
    if get_origin(field.annotation) is tuple and not text.startswith("["):
        text = f"[{text}]"
    is_mapping = text not in {"", "null"} and any(get_origin(kind) is dict for kind in _kinds(field))
    try:
        return read_yaml(text, as_words=is_mapping)
    except YamlTextError as error:
        raise InputError(f"{path} = {cut(text)}: {error}; write a list as 1,3 or [1,3], a text in quotes") from error


def _kinds(field: FieldInfo) -> tuple[Any, ...]:
    """The types that a setting may have."""
    return get_args(field.annotation) if isinstance(field.annotation, UnionType) else (field.annotation,)

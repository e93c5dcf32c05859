"""Settings given one by one, as in `--set lora.r=16` or `--set grid.lora.r=16,64`: raw values out.

Checks names, not values.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.grid import SHORT_NAMES, VARIABLE, explain_fixed, open_short_names
from schemas.listing import cut
from schemas.profiles import unknown_setting
from schemas.settings import iterate_settings, kinds_of
from schemas.yaml_text import YamlTextError, read_yaml

GRID = "grid."


def apply_overrides(values: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Return a copy of a profile's raw values with each `any.setting=value` in its place; the last one wins.

    A value is read as YAML; a list may be written `[1,3]` or `1,3`; a text setting takes the words as they are,
    unless they are empty, `null` or in quotes. Keys and values of a mapping are words: `{0: negative, no: neutral}`; a
    text in its place, such as the name of a file, stays a text.
    `grid.any.setting=values` makes a setting vary, in each grid if there are several, and `any.setting=value` stops it
    from varying.

    Raises:
        InputError: An assignment has no equals sign, its setting is unknown or cannot vary, or its value is not YAML or
            is too large.
    """
    fields = dict(iterate_settings(StudyConfig))
    result = open_short_names(deepcopy(dict(values)))
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        path, text = path.strip(), text.strip()
        if not equals:
            raise InputError(f"'{cut(assignment)}' sets nothing: write any.setting=value, as in grid.epochs=1,3")
        if path == "grid.curve_epochs":
            path = "curve_epochs"
        if path.startswith(GRID):
            varied = _find_varied(path.removeprefix(GRID), fields)
            result.setdefault("grid", {})
            for grid in _list_grids(result):
                grid[varied] = _parse_list(path, text, VARIABLE[varied])
            continue
        if path not in fields:
            raise InputError(unknown_setting(path))
        *groups, name = path.split(".")
        target = result
        for group in groups:
            target = target.setdefault(group, {})
        target[name] = _parse(path, text, fields[path])
        for grid in _list_grids(result):
            grid.pop(path, None)
    return result


def refuse_conflicts(assignments: Sequence[str]) -> None:
    """Refuse assignments of one command line that give a setting twice: one of them would have no effect.

    Raises:
        InputError: A setting is given twice, be it as a value and as values of a grid.
    """
    given: dict[str, str] = {}
    for assignment in assignments:
        name = assignment.partition("=")[0].strip()
        path = name.removeprefix(GRID)
        path = SHORT_NAMES.get(path, path)
        if path in given:
            raise InputError(f"{path} is given twice: {cut(given[path])} and {cut(assignment)}; leave one out")
        given[path] = assignment


def refuse_others(assignments: Sequence[str], group: str) -> None:
    """Refuse assignments of known settings outside a group: the command would ignore them.

    Args:
        assignments: Each as `any.setting=value`.
        group: What the names of the group begin with, as in `data.`.

    Raises:
        InputError: A setting belongs to another group.
    """
    known = dict(iterate_settings(StudyConfig))
    for assignment in assignments:
        name = assignment.partition("=")[0].strip()
        if name.startswith(GRID) or (name in known and not name.startswith(group)):
            raise InputError(
                f"{cut(name)} has no effect here: only settings that begin with {group} have; leave it out"
            )


def _list_grids(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The grids of a profile, which may be one or a list."""
    grid = values.get("grid", {})
    return [axes for axes in (grid if isinstance(grid, list) else [grid]) if isinstance(axes, dict)]


def _find_varied(name: str, fields: Mapping[str, FieldInfo]) -> str:
    """The setting that a grid is to vary, by its dotted path or its short name."""
    path = SHORT_NAMES.get(name, name)
    if path in VARIABLE:
        return path
    raise InputError(f"grid: {explain_fixed(path)}" if path in fields else unknown_setting(f"{GRID}{name}"))


def _parse_list(path: str, text: str, field: FieldInfo) -> Any:
    """The values of a setting that varies; a list or a mapping among them is one value."""
    listed = text if text.startswith("[") else f"[{text}]"
    return _read(path, listed, as_words=any(kind is str or get_origin(kind) is dict for kind in kinds_of(field)))


def _parse(path: str, text: str, field: FieldInfo) -> Any:
    if field.annotation in (str, str | None) and text not in {"", "null"} and text[0] not in "\"'":
        return text
    kinds, is_given = kinds_of(field), text not in {"", "null"}
    may_be_list = any(get_origin(kind) is tuple for kind in kinds) and (is_given or len(kinds) == 1)
    if may_be_list and not text.startswith("["):
        text = f"[{text}]"
    is_mapping = is_given and path != "grid" and any(get_origin(kind) is dict for kind in kinds)
    of_words = is_mapping or (is_given and any(get_args(kind)[:1] == (str,) and path != "grid" for kind in kinds))
    value = _read(path, text, as_words=of_words)
    return text if is_mapping and isinstance(value, str) else value


def _read(path: str, text: str, *, as_words: bool) -> Any:
    try:
        return read_yaml(text, as_words=as_words)
    except YamlTextError as error:
        raise InputError(f"{path} = {cut(text)}: {error}; write a list as 1,3 or [1,3], a text in quotes") from error

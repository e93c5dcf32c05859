"""A user's own profile: a YAML file with the settings of a study, named by its path."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.listing import show
from schemas.paths import local_path
from schemas.settings import iterate_settings, kinds_of
from schemas.small_file import read_small_text
from schemas.yaml_text import YamlTextError, read_yaml

ENDINGS = (".yaml", ".yml")
_WANTED = "settings, as `fintone profiles desk` prints them"


def is_own_profile(name: str) -> bool:
    """Whether the name of a profile is the path of a file: it has an ending or a folder, or the file exists."""
    return name.endswith(ENDINGS) or "/" in name or "\\" in name or (bool(name) and Path(name).is_file())


def read_profile_text(name: str) -> str:
    """The text of the file.

    Raises:
        InputError: It cannot be read.
    """
    return read_small_text("profile", local_path("profile", name), _WANTED)


def read_profile(name: str) -> dict[str, Any]:
    """The raw values of the file; `name` is that of the file where it is not set.

    Texts, and keys and values of a mapping, stay as they are written: `no`, `on` and `0` are words there.

    Raises:
        InputError: It cannot be read or is not YAML, or a group of settings is something else.
    """
    text = read_profile_text(name)
    try:
        values, words = read_yaml(text), read_yaml(text, as_words=True)
    except YamlTextError as error:
        raise InputError(f"profile {name}: {error}; write {_WANTED}") from error
    if not isinstance(values, dict) or not values:
        raise InputError(f"profile {name}: no settings; write {_WANTED}")
    for group in _iterate_groups(StudyConfig):
        if group in values and not isinstance(values[group], dict):
            raise InputError(f"profile {name}: {group} = {show(values[group])}: must be a group of settings")
    for path, field in iterate_settings(StudyConfig):
        if _holds_words(path, field):
            _copy_words(path.split("."), values, words)
    return {"name": _name_after(Path(name)), **values}


def _iterate_groups(settings: type[BaseModel]) -> Iterator[str]:
    for name, field in settings.model_fields.items():
        is_group = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        if is_group or get_origin(field.annotation) is dict:
            yield name


def _holds_words(path: str, field: FieldInfo) -> bool:
    """Whether a setting is a text, or a list or mapping of words."""
    kinds = kinds_of(field)
    has_words = any(get_origin(kind) is dict or get_args(kind)[:1] == (str,) for kind in kinds)
    return str in kinds or (has_words and path != "grid")


def _copy_words(path: list[str], values: Any, words: Any) -> None:
    """Replace the value that YAML has parsed with the text as it is written, unless the value is null."""
    *groups, name = path
    for group in groups:
        values, words = values.get(group, {}), words.get(group, {})
    if isinstance(values.get(name), dict):
        written = words[name].values()
        values[name] = {
            key: None if value is None else word
            for (key, value), word in zip(values[name].items(), written, strict=True)
        }
    elif values.get(name) is not None:
        values[name] = words[name]


def _name_after(file: Path) -> str:
    """A profile's name from that of its file: lower case, with a hyphen for characters that no name may hold."""
    name = re.sub(r"[^a-z0-9-]+", "-", file.stem.lower()).strip("-")
    return name if re.match(r"[a-z]", name) else f"profile-{name}".rstrip("-")

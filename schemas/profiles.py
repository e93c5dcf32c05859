"""Profiles, those that ship and a user's own, and how raw values become a study.

`build_config` is the one place where pydantic's many-line report becomes the line that a user reads.
"""

from collections.abc import Mapping
from importlib.resources import files
from itertools import takewhile
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.grid import ONE_GRID, SEVERAL_GRIDS, SHORT_NAMES, VARIABLE
from schemas.listing import cut, show
from schemas.nearest import did_you_mean, find_nearest
from schemas.own_profile import is_own_profile, read_profile, read_profile_text
from schemas.settings import explain_rule, iterate_settings

_SPELT_OUT = {"lr": "learning_rate"}
"""Words that names of cells shorten."""

Group = TypeVar("Group", bound=BaseModel)

PROFILES: tuple[str, ...] = tuple(
    sorted(file.name.removesuffix(".yaml") for file in files("profiles").iterdir() if file.name.endswith(".yaml"))
)
"""The names of the shipped profiles."""


def load_profile(name: str) -> dict[str, Any]:
    """Read the raw values of a shipped profile, or of a file.

    Args:
        name: A shipped profile, or the path of a YAML file of one's own.

    Raises:
        InputError: There is no such profile (the message names the nearest one, all of them, and how a file is named),
            or the file is not a profile.
    """
    if name not in PROFILES and is_own_profile(name):
        return read_profile(name)
    return cast("dict[str, Any]", yaml.safe_load(load_profile_text(name)))


def load_profile_text(name: str) -> str:
    """The text of a profile, with its comments; see `load_profile`."""
    if name in PROFILES:
        return files("profiles").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    if is_own_profile(name):
        return read_profile_text(name)
    raise InputError(
        f"unknown profile {show(name)}{did_you_mean(name, PROFILES)}; there are {', '.join(PROFILES)} "
        "(`fintone profiles` shows them), or give a file of your own by its path, as in --profile my.yaml"
    )


def describe_profile(name: str) -> str:
    """The comment at the beginning of a profile, in one line."""
    lines = load_profile_text(name).splitlines()
    return " ".join(line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines))


def build_config(values: Mapping[str, Any]) -> StudyConfig:
    """Validate raw values.

    Raises:
        InputError: A setting is unknown, missing or out of bounds; the one line names each such setting by its dotted
            path, the value received and what it must be.
    """
    return check_settings(StudyConfig, values)


def check_settings(group: type[Group], values: Mapping[str, Any]) -> Group:
    """Validate raw values of any group of settings; see `build_config`.

    Raises:
        InputError: A setting is unknown, missing or out of bounds.
    """
    try:
        return group.model_validate(values)
    except ValidationError as error:
        raise InputError("; ".join(_describe(problem) for problem in _innermost(error.errors()))) from error


def unknown_setting(path: str) -> str:
    """The message for an unknown setting, with the nearest known one."""
    known = [setting for setting, _ in iterate_settings(StudyConfig)]
    if path in known:  # in a profile, where a group holds its settings
        group, _, name = path.partition(".")
        return f"unknown setting {path}: write `{group}:` and, indented below it, `{name}: …`"
    name, prefix = path, ""
    if path.startswith("grid."):
        known, name, prefix = [*SHORT_NAMES, "curve_epochs", *VARIABLE], path.removeprefix("grid."), "grid."
    word = name.rpartition(".")[2]
    word = _SPELT_OUT.get(word, word)
    same = [setting for setting in known if setting.rpartition(".")[2] == word]
    by_last_name = {setting.rpartition(".")[2]: setting for setting in known}
    last = find_nearest(word, by_last_name)
    near = same[0] if len(same) == 1 else find_nearest(name, known) or (by_last_name[last] if last else None)
    hint = f"; did you mean {prefix}{near}?" if near else f"; there are {', '.join(known)}"
    return f"unknown setting {cut(path)}{hint}"


def _innermost(problems: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what only follows from an inner problem: pydantic calls a list too short when an item is refused."""
    outer = {problem["loc"][:-1] for problem in problems if problem["loc"]}
    return [problem for problem in problems if problem["loc"] not in outer]


def _describe(problem: ErrorDetails) -> str:
    path = cut(".".join(str(part) for part in problem["loc"] if part not in (ONE_GRID, SEVERAL_GRIDS)))
    if problem["type"] == "extra_forbidden":
        return unknown_setting(path)
    if problem["type"] == "missing":
        return f"{path} is missing: give it a value"
    if problem["type"] == "value_error":
        return f"{path}: {explain_rule(problem['msg'])}".removeprefix(": ")
    if problem["input"] is None and problem["type"].endswith("_type"):
        return f"{path} has no value: give it one"
    rule = "must be a group of settings" if problem["type"] == "model_type" else explain_rule(problem["msg"])
    if problem["loc"] and isinstance(problem["loc"][-1], int):  # a value of a list
        return f"{path.rpartition('.')[0]}: {show(problem['input'])} {rule}"
    return f"{path} = {show(problem['input'])}: {rule}"

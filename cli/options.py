"""What several commands share: exit codes, the argument that names a fine-tune, and settings from options."""

from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from cli.completion import complete_fine_tune

if TYPE_CHECKING:
    from schemas.config import StudyConfig

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
INTERRUPTION = "fintone: interrupted; what was finished is kept, and the same command goes on from there\n"
FINE_TUNE = typer.Argument(
    help="Id of a fine-tuned cell, or its first 4 characters or more.", autocompletion=complete_fine_tune
)


class Form(StrEnum):
    """How `fintone compare` and `fintone doctor` print their answers."""

    TABLE = "table"
    JSON = "json"


def assign(flags: dict[str, str | None]) -> list[str]:
    """The flags that were given, as `any.setting=value`."""
    return [f"{name}={value}" for name, value in flags.items() if value is not None]


def build_config(profile: str, base_model: str | None, assignments: list[str]) -> "StudyConfig":
    """A profile with a base model and settings in place of its own, checked."""
    from schemas.overrides import apply_overrides
    from schemas.paths import local_path
    from schemas.profiles import build_config as check_config
    from schemas.profiles import load_profile

    values = load_profile(profile)
    if base_model is not None:
        is_local = local_path("base model", base_model).exists()
        name, _, revision = (base_model, "", "") if is_local else base_model.partition("@")
        values["base_model"] = {**values["base_model"], "name": name, "revision": revision or None}
    return check_config(apply_overrides(values, assignments))

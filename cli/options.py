"""What several commands share: exit codes, common options, and settings from options."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.completion import complete_fine_tune, complete_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.config import StudyConfig

OF_A_MODEL = ("revision", "trained_until")
"""Settings of a profile's base model that do not apply to another model."""

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
_CONTINUING = {"run", "ingest", "score"}
"""Commands that keep what they have finished, and begin there when they are run again."""
FINE_TUNE = typer.Argument(
    help="Id of a fine-tuned cell, its first 4 characters or more, or its name.", autocompletion=complete_fine_tune
)
FORMAT = typer.Option(
    "--format", help="How to print the answer; if omitted, the suffix of --output decides, else a table."
)
Model = Annotated[
    str,
    typer.Option(
        help="`champion`, or a cell's id, its first 4 characters or more, or its name.", autocompletion=complete_model
    ),
]
Temperature = Annotated[
    float | None, typer.Option(help="Sampling temperature; the one at which the model was judged if omitted.")
]


class Format(StrEnum):
    """How `fintone sql` and `fintone list` print their answers."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Form(StrEnum):
    """How commands that write no CSV print their answers."""

    TABLE = "table"
    JSON = "json"


def describe_interruption(arguments: "Sequence[str]") -> str:
    """The line for an interrupted command, from its arguments: what is kept, if anything is."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    if command == "score" and "-" in arguments:
        kept = "; what was answered is kept, but a pipe is not read again"
    else:
        kept = "; what was finished is kept, and the same command goes on from there" if command in _CONTINUING else ""
    return f"fintone: interrupted{kept}"


def assign(flags: dict[str, str | None]) -> list[str]:
    """The flags that were given, as `any.setting=value`."""
    return [f"{name}={value}" for name, value in flags.items() if value is not None]


def read_tags(tags: "Sequence[str] | None") -> str | None:
    """Convert tags of the form `key=value` to the value of a setting; None if there are none.

    Raises:
        InputError: A tag has no equals sign, or a key occurs twice.
    """
    import json

    from schemas.errors import InputError
    from schemas.listing import cut

    values: dict[str, str] = {}
    for tag in tags or []:
        key, equals, value = tag.partition("=")
        if not equals or key in values:
            fault = "comes twice" if equals else "sets nothing"
            raise InputError(f"--tag {cut(tag)}: {fault}; write --tag KEY=VALUE, once for each key, as in desk=fx")
        values[key.strip()] = value.strip()
    return json.dumps(values) if values else None


def build_from_options(profile: str, base_models: "Sequence[str]", assignments: list[str]) -> "StudyConfig":
    """Build a checked config from a profile, with base models and settings that replace its own."""
    from schemas.profiles import build_config

    return build_config(collect_values(profile, base_models, assignments))


def collect_values(profile: str, base_models: "Sequence[str]", assignments: list[str]) -> dict[str, Any]:
    """The raw values of a profile, with base models and settings that replace its own; a label map may be a file."""
    import json

    from cli.label_map import read_label_map
    from schemas.errors import InputError
    from schemas.overrides import apply_overrides
    from schemas.profiles import load_profile

    values = load_profile(profile)
    if len(set(base_models)) < len(base_models):
        raise InputError(f"--base-model {base_models[0]}: a model is given twice; leave one out")
    if base_models:
        values["base_model"] = {**values.get("base_model", {}), "name": base_models[0], **dict.fromkeys(OF_A_MODEL)}
    grid = f"grid.base_model.name={json.dumps(list(base_models))}"
    named = [grid] if len(base_models) > 1 else [f"base_model.name={json.dumps(name)}" for name in base_models]
    values = apply_overrides(values, [*named, *assignments])
    label_map = values.get("data", {}).get("label_map")
    if isinstance(label_map, str):
        values["data"]["label_map"] = read_label_map(label_map, "data.label_map")
    return values

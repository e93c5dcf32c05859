"""The page docs/settings.md, from the settings themselves: `python -m schemas.reference` writes it."""

import json
from collections.abc import Collection, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.config import StudyConfig
from schemas.score import ScoreSettings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
INTRODUCTION = """# Settings

Each setting is given by a profile, by `--set name=value`, or in the form of a Prefect deployment. "The study" is
Camargo (2024). This page is made from the settings' own descriptions (`python -m schemas.reference`).
"""


def render_reference() -> str:
    """The page as Markdown: a table for each group of settings of a study, and one for `fintone score`."""
    groups = {
        name: field.annotation
        for name, field in StudyConfig.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    tables = [_render_group(f"`{name}`", name, model) for name, model in groups.items()]
    whole = _render_group("A study", "", StudyConfig, leave_out=groups)
    return "\n".join([INTRODUCTION, whole, *tables, _render_group("The flow `score`", "", ScoreSettings)])


def _render_group(title: str, prefix: str, model: type[BaseModel], leave_out: Collection[str] = ()) -> str:
    rows = _rows(prefix, model, leave_out)
    return "\n".join([f"## {title}", "", *_explain(model), "| setting | default | is |", "|---|---|---|", *rows, ""])


def _explain(model: type[BaseModel]) -> list[str]:
    """The first paragraph of the group's docstring."""
    summary = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    return [summary, ""] if summary else []


def _rows(prefix: str, model: type[BaseModel], leave_out: Collection[str]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name in leave_out:
            continue
        path = f"{prefix}.{name}" if prefix else name
        description = " ".join((field.description or "").split()).replace("|", "\\|")
        yield f"| `{path}` | {_show_default(field)} | {description} |"


def _show_default(field: FieldInfo) -> str:
    """The default as a user would write it."""
    if field.is_required():
        return "required"
    default = _plain(field.get_default(call_default_factory=True))
    if default is None:
        return "not set"
    if default == []:
        return "empty"
    return f"`{default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)}`".replace("|", "\\|")


def _plain(value: Any) -> Any:
    """A value in the types of JSON."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


if __name__ == "__main__":
    PAGE.write_text(render_reference(), encoding="utf-8")

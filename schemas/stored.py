"""Settings as a warehouse holds them, of this version or an older one.

A name that a person writes is refused if it is unknown. Stored settings were valid when they were stored: a name that
has changed since is updated, one that no longer exists is left out, and a setting that did not exist yet has its
default. A name is never reused for another setting, so its meaning does not change.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from schemas.cell import BaseModelSettings, CellSettings, LoraSettings, PromptSettings, TrainingSettings
from schemas.settings import Settings

VERSION = 2
"""Of the form in which settings are stored. The first kept learning rate, epochs and seed outside a cell's settings."""

RENAMED: dict[str, str] = {}
"""Current names by former names, each with its group, as in `training.batch_size`."""

Group = TypeVar("Group", bound=Settings)


def write_stored(settings: Settings, **chosen: Any) -> dict[str, Any]:
    """Settings as a warehouse keeps them, with the version of their form.

    Args:
        settings: The settings.
        chosen: `include` or `exclude`, as pydantic takes them.
    """
    return {"version": VERSION, **settings.model_dump(mode="json", **chosen)}


def read_stored(group: type[Group], name: str, values: Mapping[str, Any]) -> Group:
    """Read a group of settings.

    Args:
        group: Its class.
        name: What the group is called in a study, as in `training`.
        values: The value of each setting, by the name that the setting had.

    Raises:
        ValidationError: A value is not allowed, or a setting without a default is absent.
    """
    known = {}
    for setting, value in values.items():
        path = f"{name}.{setting}"
        while path in RENAMED:
            path = RENAMED[path]
        its_group, _, current = path.rpartition(".")
        if its_group == name and current in group.model_fields:
            known[current] = value
    return group.model_validate(known)


def read_cell(values: Mapping[str, Any]) -> CellSettings:
    """Read the settings of a cell; a group that means nothing to its kind of model may be left out.

    Raises:
        ValidationError: As `read_stored` does.
    """
    return CellSettings(
        base_model=read_stored(BaseModelSettings, "base_model", values["base_model"]),
        prompt=read_stored(PromptSettings, "prompt", values.get("prompt", {})),
        lora=read_stored(LoraSettings, "lora", values.get("lora", {})),
        training=read_stored(TrainingSettings, "training", values["training"]),
    )

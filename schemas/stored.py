"""Settings as a warehouse holds them, of this version or an older one.

What a person writes is refused where a name is unknown. What was stored was valid when it was stored, so a name of
then is brought up to date, one that exists no more is left out, and what did not exist yet has its default. A name is
never given to another setting later, so that it always says what it said.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from schemas.cell import BaseModelSettings, CellSettings, LoraSettings, PromptSettings, TrainingSettings
from schemas.settings import Settings

VERSION = 2
"""Of the form in which settings are stored. The first had learning rate, epochs and seed beside a cell's settings."""

RENAMED: dict[str, str] = {}
"""Names of today by the names that they had, each with its group, as in `training.batch_size`."""

Group = TypeVar("Group", bound=Settings)


def write_stored(settings: Settings, **chosen: Any) -> dict[str, Any]:
    """Settings as a warehouse keeps them, with the version of their form.

    Args:
        settings: They.
        chosen: `include` or `exclude`, as pydantic takes them.
    """
    return {"version": VERSION, **settings.model_dump(mode="json", **chosen)}


def read_stored(group: type[Group], name: str, values: Mapping[str, Any]) -> Group:
    """Read a group of settings.

    Args:
        group: Its class.
        name: What the group is called in a study, as in `training`.
        values: Each setting by the name that it had.

    Raises:
        ValidationError: A value is none that the setting may have, or one is absent that has no default.
    """
    known = {}
    for setting, value in values.items():
        path = f"{name}.{setting}"
        while path in RENAMED:
            path = RENAMED[path]
        its_group, _, today = path.rpartition(".")
        if its_group == name and today in group.model_fields:
            known[today] = value
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

"""The kinds of models: a model is of the first kind that claims its config.json. A new kind is a line here."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from learning.kinds.kind import ModelKind

MODULES = ["learning.kinds.encoder", "learning.kinds.causal"]
"""Each has a `KIND`. The last one takes models that no other claims, and reports why a model does not fit."""


def find_kind(folder: Path) -> "ModelKind":
    """The kind of the model in a folder."""
    kinds = _kinds()
    return next(kind for kind in kinds if kind is kinds[-1] or kind.claims(_read_config(folder)))


def recorded_kind(name: str | None, folder: Path) -> "ModelKind":
    """The kind of a cell's model by its recorded name, whether its base model is at hand or not.

    Args:
        name: The name; None where an older version recorded the cell.
        folder: The folder of its base model, which tells if the name is None.
    """
    return find_kind(folder) if name is None else next(kind for kind in _kinds() if kind.name == name)


def _kinds() -> "list[ModelKind]":
    return [import_module(module).KIND for module in MODULES]


def _read_config(folder: Path) -> dict[str, Any]:
    from learning.models.base_model import NOUN
    from learning.models.model_files import find_configuration

    return find_configuration(NOUN, folder).read_json("config.json") if (folder / "config.json").is_file() else {}

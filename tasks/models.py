"""From a fine-tuned cell to the model that it is: its adapter, and the base model that it was trained on.

What exports, judges and scores with a cell has this in common. Runs without Prefect.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.config import DecodingSettings, PromptSettings, TrainingSettings
from schemas.errors import InputError
from storage.home import Home

if TYPE_CHECKING:
    from learning.worker import BaseSpec
    from schemas.model_card import CellCard
    from storage.studies import StoredCell


class NoModelError(InputError):
    """The cell has no adapter, or its base model is not there any more."""


@dataclass(frozen=True)
class CellModel:
    """A fine-tuned cell, ready to score."""

    card: "CellCard"
    base: "BaseSpec"
    adapter: Path
    prompt: PromptSettings
    decoding: DecodingSettings
    """Of its latest study."""


def load_model(home: Home, cell: "StoredCell") -> CellModel:
    """Find all that a fine-tuned cell is scored with.

    Raises:
        NoModelError: It has no adapter, or its base model is another by now.
        InputError: The base model cannot be found.
    """
    from learning.worker import BaseSpec
    from storage.exports import load_card
    from storage.studies import load_config_of

    adapter, card = find_adapter(home, cell), load_card(home.warehouse, cell)
    config: dict[str, Any] = load_config_of(home.warehouse, cell.record.cell_id)
    settings = card.hyperparameters
    return CellModel(
        card=card,
        base=BaseSpec(*find_base(home, card), TrainingSettings(**settings["training"])),
        adapter=adapter,
        prompt=PromptSettings(**settings["prompt"]),
        decoding=DecodingSettings(**config["decoding"]),
    )


def find_adapter(home: Home, cell: "StoredCell") -> Path:
    """The folder of a cell's adapter.

    Raises:
        NoModelError: It has none.
    """
    from storage.studies import DONE

    identifier, kind = cell.record.cell_id, cell.record.kind
    if kind != "fine-tuned":
        raise NoModelError(
            f"cell {identifier} is {'the untouched base' if kind == 'base' else 'a baseline'}: no adapter"
        )
    folder = home.adapter(identifier)
    if cell.status not in DONE or not folder.is_dir():
        raise NoModelError(f"cell {identifier} is {cell.status} and has no adapter in {home.adapters}: run its study")
    return folder


def find_base(home: Home, card: "CellCard") -> tuple[Path, str]:
    """Folder and quantisation of the base model that a cell was trained on.

    Raises:
        NoModelError: What lies there is another model by now.
        InputError: It cannot be found.
    """
    from learning.base_model import resolve_base_model

    asked, revision = card.hyperparameters["base_model"], card.base_revision
    found = resolve_base_model(asked["name"], revision if is_on_hub(card) else None, home.models)
    if found.revision != revision:
        raise NoModelError(
            f"base model {card.base_model}: {found.folder} holds {found.revision}, the cell was trained on {revision}"
        )
    return found.folder, asked["quantization"]


def is_on_hub(card: "CellCard") -> bool:
    """Whether the base model of a cell came from the hub."""
    from learning.base_model import HUB_NAME

    asked = card.hyperparameters["base_model"]["name"]
    return HUB_NAME.fullmatch(asked) is not None and not Path(asked).exists()

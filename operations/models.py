"""Loads the model of a fine-tuned cell: its adapter, and the base model that it was trained on.

Exporting, judging and scoring share this. Runs without Prefect.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedded.paths import EMBEDDED, MODEL_FOLDER
from operations.worker import run_job
from schemas.cell import PromptSettings, TrainingSettings
from schemas.errors import InputError
from schemas.evaluation import PromotionSettings
from schemas.source import DataSettings, DateOrder
from schemas.stored import read_cell, read_stored
from storage.home import Home
from storage.unfit import WarehouseReadOnlyError

if TYPE_CHECKING:
    from learning.models.fine_tune import FineTune
    from learning.worker.jobs import BaseSpec
    from operations.examples import Chooser
    from schemas.model_card import CellCard
    from storage.cells import StoredCell
CANARIES = 64
"""Test headlines whose answers identify a model."""


class NoModelError(InputError):
    """The cell has no adapter, or its base model is gone."""


@dataclass(frozen=True)
class CellModel:
    """A fine-tuned cell, ready to score."""

    card: "CellCard"
    base: "BaseSpec"
    fine_tune: "FineTune"
    prompt: PromptSettings
    """Its prompt; `context` is false where its study had none, whatever the headlines that it judges have."""
    truncates: bool
    """Whether its latest study truncates headlines that are too long for it (`data.too_long`)."""
    max_unparsed_rate: float
    """Largest share of unparsed answers that its latest study allows."""
    max_rejected: float
    """Largest share of rejected rows that its latest study allows."""
    split_id: str
    """The split whose train part its examples come from."""
    near_duplicates: str
    """What counts as a near copy in that split."""
    context_column: str | None
    """The column of the context that its prompt shows, in its latest study; None where it shows none."""
    names_instrument: bool
    """Whether its prompt names the instrument that a headline is about."""
    reading: Mapping[str, Any]
    """The settings by which its latest study read its source."""
    date_order: DateOrder | None
    """The order of day and month in that source's dates, as given or found; None if it is not known."""

    @property
    def chooser(self) -> "Chooser | None":
        """The chooser of the examples before a headline; None if its prompt has none."""
        from operations.examples import load_chooser

        return load_chooser(self.split_id, self.prompt, self.near_duplicates)

    def ask(
        self,
        headlines: Sequence[str],
        contexts: Sequence[str | None] | None = None,
        instruments: Sequence[str | None] | None = None,
        chooser: "Chooser | None" = None,
    ) -> tuple[str, ...]:
        """The headlines as its prompt asks them: with their examples, context and instrument.

        Args:
            headlines: N texts, each with its context and its instrument where it has them.
            contexts: N contexts, where the headlines come without them.
            instruments: N instruments that they are about, likewise.
            chooser: Another chooser of the examples than its own.
        """
        from learning.prompt.choice import ask
        from learning.prompt.question import make_questions

        none = [None] * len(headlines)
        shown = (
            (contexts if self.context_column else None) or none,
            (instruments if self.names_instrument else None) or none,
        )
        return ask(make_questions(headlines, *shown), chooser or self.chooser)


def load_model(home: Home, cell: "StoredCell") -> CellModel:
    """Find everything that is needed to score with a fine-tuned cell.

    Raises:
        NoModelError: It has no adapter, or one that answers nothing; or its base model has changed.
        InputError: The base model cannot be found.
        AdapterError: The folder does not hold the adapter that it trained.
    """
    from learning.kinds.registry import find_kind
    from storage.exports import load_card
    from storage.studies import load_config_of, load_date_order_of
    from storage.warehouse import reading_together

    fine_tune = find_adapter(home, cell)
    if cell.answers_nothing:
        raise NoModelError(f"{cell.reason}; its training diverged, so give another cell")
    with reading_together(home.warehouse):
        card = load_card(home.warehouse, cell)
        config: dict[str, Any] = load_config_of(home.warehouse, cell.record.cell_id)
        date_order = load_date_order_of(home.warehouse, cell.record.cell_id)
    settings, data = read_cell(card.hyperparameters), read_stored(DataSettings, "data", config["data"])
    base = find_base(home, card, settings.training)
    has_prompt = "prompt" not in find_kind(base.folder).ignored(settings)
    context_column = data.context_column if has_prompt and settings.prompt.context else None
    model = CellModel(
        card=card,
        base=base,
        fine_tune=fine_tune,
        prompt=settings.prompt.model_copy(update={"context": context_column is not None}),
        truncates=config["data"].get("too_long") == "truncate",
        max_unparsed_rate=read_stored(PromotionSettings, "promotion", config.get("promotion", {})).max_unparsed_rate,
        max_rejected=config["data"].get("max_rejected", DataSettings.model_fields["max_rejected"].default),
        split_id=cell.record.split_id,
        near_duplicates=data.near_duplicates,
        reading=data.remembered,
        date_order=date_order,
        names_instrument=has_prompt and settings.prompt.names_instrument,
        context_column=context_column,
    )
    if cell.outcome is None or cell.outcome.adapter_hash is None:
        _adopt(home, model)
    return model


def find_adapter(home: Home, cell: "StoredCell") -> "FineTune":
    """The folder of a cell's adapter, with the hash of its files.

    Raises:
        NoModelError: It has none.
        AdapterError: Its files are damaged, or not those that the cell trained.
    """
    from learning.kinds.registry import recorded_kind
    from learning.models.fine_tune import FineTune
    from storage.cells import DONE

    check_fine_tuned(home, cell)
    identifier = cell.record.cell_id
    folder = home.adapter(identifier)
    if cell.status not in DONE or not folder.is_dir():
        raise NoModelError(f"cell {identifier} is {cell.status} and has no adapter in {home.adapters}: run its study")
    model = recorded_kind(cell.record.kind_of_model, Path(cell.record.base_folder or MODEL_FOLDER))
    return FineTune(folder, model.check_fine_tune(folder, cell.outcome.adapter_hash if cell.outcome else None))


def check_fine_tuned(home: Home, cell: "StoredCell") -> None:
    """Check that a cell is one fine-tune.

    Raises:
        NoModelError: It is an untouched base, a baseline, or pools the folds of its study.
    """
    from storage.splits import load_folds

    identifier, kind = cell.record.cell_id, cell.record.kind
    if kind != "fine-tuned":
        description = "the untouched base" if kind == "base" else "a baseline"
        raise NoModelError(
            f"cell {identifier} is {description}: no adapter; give a fine-tuned cell, `fintone list cells` shows them"
        )
    if folds := len(load_folds(home.warehouse, cell.record.split_id)):
        raise NoModelError(
            f"cell {identifier} pools the folds or windows of its study: {folds} models, none of its own; run its "
            "settings without split.folds or split.windows for one"
        )


def lacks_adapters(home: Home, study_id: str) -> bool:
    """Whether an adapter that a study trained is gone, for example since a person removed a damaged one."""
    from storage.cells import load_trained

    return any(not home.adapter(cell_id).is_dir() for cell_id in load_trained(home.warehouse, study_id))


def _adopt(home: Home, model: CellModel) -> None:
    """Record the hash of an adapter from an older version, which kept none, if it answers as the ledger records.

    Raises:
        AdapterError: It answers differently.
    """
    from learning.models.adapter_files import AGAIN, AdapterError
    from learning.worker.jobs import ComparingJob
    from storage.cell_progress import save_adapter_hash
    from storage.exports import load_canaries

    cell_id = model.card.cell_id
    canaries = load_canaries(home.warehouse, cell_id, CANARIES)
    if canaries is not None:
        canaries = replace(canaries, headlines=model.ask(canaries.headlines, canaries.contexts, canaries.instruments))
        job = ComparingJob(model.base, model.fine_tune, canaries, model.prompt)
        check = run_job(job, lambda _: None)
        if not check.passed:
            raise AdapterError(
                f"adapter {model.fine_tune.folder}: it is not the model that the ledger knows as cell {cell_id} (a "
                f"probability is off by {check.largest_difference:.2g}); {AGAIN}"
            )
    with suppress(WarehouseReadOnlyError):  # it is checked again the next time
        save_adapter_hash(home.warehouse, cell_id, model.fine_tune.files_hash)


def find_base(home: Home, card: "CellCard", training: TrainingSettings) -> "BaseSpec":
    """The base model that a cell was trained on, as a job names it.

    Raises:
        NoModelError: Its place now holds another model.
        InputError: It cannot be found.
    """
    from learning.kinds.resolution import resolve_base_model
    from learning.worker.jobs import BaseSpec

    requested, revision, on_hub = card.hyperparameters["base_model"], card.base_revision, came_from_hub(card)
    name = requested["name"] if on_hub or requested["name"] == EMBEDDED else card.base_folder or requested["name"]
    if not on_hub and name != EMBEDDED and not Path(name).is_dir():
        raise NoModelError(f"base model {card.base_model}: its folder {name} is not there any more; put it back")
    found = resolve_base_model(name, revision if on_hub else None, home.models)
    if found.revision != revision:
        raise NoModelError(
            f"base model {card.base_model}: {found.folder} holds {found.revision}, the cell was trained on {revision}"
        )
    return BaseSpec(found.folder, requested["quantization"], training, revision)


def came_from_hub(card: "CellCard") -> bool:
    """Whether the base model of a cell came from the hub."""
    from learning.models.base_model import HUB_NAME

    requested = card.hyperparameters["base_model"]["name"]
    if card.base_folder is not None:
        folder = Path(card.base_folder)  # of the home where it was trained, which may be elsewhere now
        return bool(HUB_NAME.fullmatch(requested)) and (folder.parent.name, folder.name) == (
            "snapshots",
            card.base_revision,
        )
    return HUB_NAME.fullmatch(requested) is not None and not Path(requested).exists()

"""Exports a cell: its files, its card, and a check that they answer as the ledger records.

Runs without Prefect. The folder appears whole and checked, or not at all.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from operations.example_files import read_examples, write_examples
from operations.models import CANARIES, CellModel, came_from_hub, load_model
from operations.worker import close_worker
from schemas.disk import count_bytes, format_bytes
from schemas.errors import FailureError, InputError
from schemas.evaluation import DecodingSettings
from schemas.stored import read_cell, read_stored
from storage.home import Home
from storage.warehouse import migrate_to_read

if TYPE_CHECKING:
    from schemas.cell import CellSettings
    from schemas.model_card import Canaries


class ExportError(InputError):
    """The output folder cannot be used."""


class ExportMismatchError(FailureError):
    """The files that were written do not answer as the ledger records."""


def export_cell(beginning: str, output: Path, *, merge: bool) -> list[tuple[str, str]]:
    """Write the adapter of a cell, or the whole model with it, to a folder of its own, with a card.

    Args:
        beginning: The id of a fine-tuned cell, the beginning of it, or its name.
        output: A folder that does not exist yet, or is empty.
        merge: Write whole weights; else the adapter.

    Returns:
        What was written and how it was checked, as (subject, description) lines.

    Raises:
        InputError: There is no such cell, it has no adapter, its base model has changed, or the folder is taken.
        ExportMismatchError: The files do not answer as the ledger records; they are removed again.
    """
    from learning.kinds.registry import find_kind
    from reporting.model_card import render_model_card
    from schemas.files import appearing_folder, output_error
    from storage.cells import find_cell
    from storage.exports import load_canaries

    home = Home.from_environment()
    migrate_to_read(home.warehouse)
    cell = find_cell(home.warehouse, beginning)
    _check_place(output)
    model = load_model(home, cell)
    settings = read_cell(model.card.hyperparameters).model_copy(update={"prompt": model.prompt})
    form = find_kind(model.base.folder).describe_export(settings, merge=merge)
    close_worker()  # the files are loaded here, and a base in two processes takes twice its memory
    canaries = load_canaries(home.warehouse, cell.record.cell_id, CANARIES)
    check = "The cell has no evaluation, so the files could not be compared with the ledger."
    try:
        with appearing_folder(output, replace=False) as unfinished:
            _write(unfinished, model, settings, merge=merge)
            if canaries is not None:
                check = _check(unfinished, model, canaries, is_whole=form.is_whole)
            hub_name = model.card.base_model if came_from_hub(model.card) else None
            card = render_model_card(model.card, form, check, hub_name)
            (unfinished / "README.md").write_text(card, encoding="utf-8")
    except OSError as error:
        raise output_error(output, error) from error
    return [
        ("cell", cell.record.cell_id),
        ("written", f"{output}: {form.summary}, {format_bytes(count_bytes(output))}, with a model card"),
        ("checked", check),
    ]


def _check_place(output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ExportError(f"output {output}: is there already; give a new folder")
    if not output.absolute().parent.is_dir():
        raise ExportError(f"output {output}: no folder {output.absolute().parent}; make it first")


def _write(folder: Path, model: CellModel, settings: "CellSettings", *, merge: bool) -> None:
    from learning.kinds.kind import Export
    from learning.kinds.registry import find_kind
    from storage.studies import load_config_of

    base, card = model.base, model.card
    revision = card.base_revision if came_from_hub(card) else None
    config = load_config_of(Home.from_environment().warehouse, card.cell_id)
    decoding = read_stored(DecodingSettings, "decoding", config["decoding"])
    export = Export(base.folder, card.base_model, revision, settings, decoding, model.fine_tune.folder)
    find_kind(base.folder).write(export, folder, merge=merge)
    if model.chooser:
        write_examples(folder, model.chooser, model.prompt, model.near_duplicates)


def _check(folder: Path, model: CellModel, canaries: "Canaries", *, is_whole: bool) -> str:
    """Compare the written files with the ledger, and return a sentence which states that they agree."""
    from learning.kinds.registry import find_kind
    from learning.models.fine_tune import FineTune
    from learning.scoring.canaries import compare_canaries

    place, quantization = (folder, "none") if is_whole else (model.base.folder, model.base.quantization)
    loaded = find_kind(place).load(place, quantization, model.base.training)
    chooser = read_examples(folder, model.prompt) if model.prompt.examples else None
    headlines = model.ask(canaries.headlines, canaries.contexts, canaries.instruments, chooser)
    canaries = replace(canaries, headlines=headlines)
    outcome = compare_canaries(canaries, loaded, None if is_whole else FineTune(folder), model.prompt)
    if not outcome.passed:
        raise ExportMismatchError(
            f"export: among {outcome.headlines} headlines a probability differs by {outcome.largest_difference:.2g} "
            f"from the ledger ({outcome.tolerance:g} is allowed), so the files are another model; nothing was kept"
        )
    return (
        f"Loaded back from these files, it answers {outcome.headlines:,} test headlines as the ledger records: at "
        f"temperature {canaries.temperature:g} no probability differs by more than {outcome.largest_difference:.1e}."
    )

"""Deletes a study; before that, describes what will be deleted and what is kept. Runs without Prefect and torch."""

import logging
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from operations.homes import home_to_read
from operations.report_index import renew_index
from schemas.disk import count_bytes, format_bytes
from schemas.errors import FailureError
from schemas.files import delete_folder
from schemas.listing import count, list_some
from storage.cells import load_unfinished
from storage.deletion import Deletion, delete_study, plan_deletion
from storage.home import Home
from storage.locks import describe_holder, holding_if_free
from storage.lookup import find_study
from storage.unfit import check_home_writable

_log = logging.getLogger("fintone.files")


class StudyBusyError(FailureError):
    """Another process runs the study, or one of its cells."""


def propose_deletion(text: str) -> Deletion:
    """What would be deleted with a study.

    Args:
        text: Its id, the beginning of it, or its name.

    Raises:
        InputError: There is no such study, or the champion would be deleted with it.
        WarehouseReadOnlyError: The home may not be written.
        StudyBusyError: Another process runs it.
    """
    home = home_to_read()
    check_home_writable(home.warehouse)
    deletion = plan_deletion(home.warehouse, find_study(home.warehouse, text))
    with _holding_locks(home, deletion):
        return deletion


def describe_deletion(deletion: Deletion) -> list[tuple[str, str]]:
    """What is deleted, what is kept, and the space that is freed on disk, in lines."""
    home = Home.from_environment()
    size = sum(map(count_bytes, _list_places(home, deletion)))
    cells, evaluations = count(len(deletion.cells), "cell"), count(len(deletion.evaluations), "evaluation")
    lines = [
        ("study", deletion.study_id),
        ("to delete", f"{cells} that no other study has, {evaluations}"),
        ("files", f"{format_bytes(size)} of adapters, checkpoints and report" if size else "none"),
        ("stays", "headlines, splits, decisions of the gate, and answers to scored headlines"),
    ]
    if deletion.shared_cells:
        lines.append(("stays", f"{count(len(deletion.shared_cells), 'cell')} that other studies have"))
    if deletion.former_champions:
        former = list_some(deletion.former_champions)
        were, them = ("was", "it") if len(deletion.former_champions) == 1 else ("were", "them")
        lines.append(("warning", f"{former} {were} champion once; `fintone promote` cannot go back to {them} then"))
    return lines


def carry_out(deletion: Deletion) -> None:
    """Delete a study, and then the files that only it has; `fintone gc` deletes those that a kill leaves.

    Raises:
        InputError: The champion would now be deleted with it.
        StudyBusyError: Another process runs it.
    """
    home = Home.from_environment()
    with _holding_locks(home, deletion):
        checkpoints = _list_checkpoints(home, deletion.cells)  # the warehouse knows them until the study is deleted
        deleted = delete_study(home.warehouse, deletion.study_id)
        for place in (*_list_lasting(home, deleted), *checkpoints):
            if reason := delete_folder(place):
                _log.warning("%s stays (%s); have its owner run `fintone gc`", place, reason.strerror)
    renew_index(home)


def _list_places(home: Home, deletion: Deletion) -> list[Path]:
    """The files that only this study has."""
    return [*_list_lasting(home, deletion), *_list_checkpoints(home, deletion.cells)]


def _list_lasting(home: Home, deletion: Deletion) -> list[Path]:
    """Its report, and the adapters of its cells."""
    return [home.report(deletion.study_id).parent, *map(home.adapter, deletion.cells)]


def _list_checkpoints(home: Home, cells: Collection[str]) -> list[Path]:
    """The checkpoint folders that only these cells (ids) have; several cells may share a training."""
    own: set[str | None] = set()
    others: set[str | None] = set()
    for cell in load_unfinished(home.warehouse):
        (own if cell.cell_id in cells else others).add(cell.training_id)
    places = [home.checkpoint(training) for training in own - others if training]
    return sorted(place for place in places if place.is_dir())


@contextmanager
def _holding_locks(home: Home, deletion: Deletion) -> Iterator[None]:
    """Keep other processes from running the study or one of its own cells during the block.

    Raises:
        StudyBusyError: One is running them.
    """
    with ExitStack() as stack:
        for kind, identifier in (("study", deletion.study_id), *(("cell", cell) for cell in deletion.cells)):
            if not stack.enter_context(holding_if_free(home.warehouse, kind, identifier)):
                who = describe_holder(home.warehouse, kind, identifier)
                raise StudyBusyError(
                    f"study {deletion.study_id}: {who} is working on its {kind} {identifier}; try again later"
                )
        yield

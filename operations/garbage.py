"""Finds and deletes files of the home that nothing in the warehouse refers to. Runs without Prefect and torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from operations.homes import home_to_read
from schemas.disk import count_bytes
from schemas.errors import FailureError
from schemas.files import delete_folder, is_abandoned
from schemas.listing import count
from storage.home import Home
from storage.locks import tidying
from storage.references import References, load_references
from storage.unfit import check_home_writable


class GarbageStaysError(FailureError):
    """Something may not be deleted, as what belongs to another user."""


@dataclass(frozen=True)
class Garbage:
    """A file or folder that can be deleted."""

    place: Path
    bytes: int
    why: str
    commit: str | None = None
    """The commit of a hub model; None for a folder or file that is deleted whole."""


@contextmanager
def collecting() -> Iterator[list[Garbage]]:
    """Find what can be deleted, and keep runs from starting in the home during the block.

    Raises:
        InputError: There is no warehouse, or it cannot be used, so what it refers to is not known.
        WarehouseReadOnlyError: The home may not be written.
        HomeBusyError: A run is in progress.
    """
    home = home_to_read()
    check_home_writable(home.warehouse)
    with tidying(home.warehouse):
        kept = load_references(home.warehouse)
        yield [
            *_find(home.adapters, kept.cells, "no cell in the warehouse has it"),
            *_find(home.reports, kept.studies, "no study in the warehouse has it"),
            *_find_checkpoints(home, kept),
            *_find_models(home, kept),
        ]


def delete_garbage(garbage: list[Garbage]) -> None:
    """Delete what was found.

    Raises:
        GarbageStaysError: Some of it may not be deleted; the rest is.
    """
    from learning.models.hub import delete_unused

    commits = [item.commit for item in garbage if item.commit]
    tried = [(item.place, delete_folder(item.place)) for item in garbage if item.commit is None]
    if commits:
        delete_unused(Home.from_environment().models, commits)
    if stay := [(place, reason) for place, reason in tried if reason]:
        place, reason = stay[0]
        raise GarbageStaysError(
            f"{place}: cannot be deleted ({reason.strerror}), {count(len(stay), 'folder')} in all; have the owner run "
            "`fintone gc`"
        )


def _find(folder: Path, kept: "frozenset[str] | set[str]", why: str) -> Iterator[Garbage]:
    """The folders in a folder of the home that are not to be kept, and what killed processes left unfinished there."""
    for place in sorted(folder.glob("*") if folder.is_dir() else ()):
        if place.is_symlink() or not place.is_dir() or place.name in kept:
            continue
        if not place.name.startswith("."):
            yield Garbage(place, count_bytes(place), why)
        elif is_abandoned(place):
            yield Garbage(place, count_bytes(place), "a process that was killed left it unfinished")


def _find_checkpoints(home: Home, kept: References) -> Iterator[Garbage]:
    """Checkpoints of trainings that no unfinished cell has; none while the training of such a cell is not recorded."""
    trainings = {cell.training_id for cell in kept.unfinished if cell.training_id}
    if all(cell.training_id for cell in kept.unfinished):
        yield from _find(home.checkpoints, trainings, "no unfinished cell has it")


def _find_models(home: Home, kept: References) -> Iterator[Garbage]:
    """Commits of hub models that no cell was trained on; a folder that a user put there is not looked at."""
    from learning.models.hub import find_unused

    for commit, (name, size) in find_unused(home.models, kept.revisions).items():
        yield Garbage(home.models / name, size, f"no cell uses its commit {commit[:12]}", commit)

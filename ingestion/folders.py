"""A folder as a source: the files in it and in its folders, in order. Opens no file."""

import os
from pathlib import Path
from typing import NoReturn

from ingestion.passed_over import describe_why
from schemas.errors import InputError
from schemas.listing import list_some


class FolderError(InputError):
    """A folder has no file, or something in it is not a file."""


def list_folder(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The files of a folder and of those within it that may hold data, sorted by their path.

    Returns:
        The files, and what is skipped (see `ingestion.passed_over`) with the reasons; a folder that is hidden, or a
        link, is one entry.

    Raises:
        OSError: If a folder cannot be read.
        FolderError: If there is no file that may hold data, or something that is neither a file nor a folder.
    """
    files: list[Path] = []
    others: list[str] = []
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        within = Path(parent).relative_to(folder)
        reasons = {name: describe_why(within / name) for name in names}
        reasons |= {name: "hidden" for name in folders if name.startswith(".")}
        reasons |= {name: "link to a folder" for name in folders if Path(parent, name).is_symlink()}
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(parent, name) for name in names if reasons[name] is None]
        others += [f"{(within / name).as_posix()} ({why})" for name, why in reasons.items() if why]
    if not files:
        besides = f" of data, only {list_some(sorted(others))}" if others else ""
        raise FolderError(f"source {str(folder)!r} is a folder without files{besides}: give one with headlines")
    for file in files:
        if not file.is_file():
            raise FolderError(
                f"source {str(folder)!r} holds {str(file)!r}, which is not a regular file: take it out of the folder"
            )
    return sorted(files), tuple(sorted(others))


def _refuse(error: OSError) -> NoReturn:
    raise error

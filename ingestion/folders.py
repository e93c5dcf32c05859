"""A folder as a source: the files in it and in its folders, in order. Opens no file."""

import os
from pathlib import Path
from typing import NoReturn

from schemas.errors import InputError


class FolderError(InputError):
    """A folder has no file, or something in it is none."""


def list_folder(folder: Path) -> list[Path]:
    """The files of a folder and of those within it, sorted by their path.

    What is hidden (its name begins with a dot) is passed over, and a link to a folder is not followed.

    Raises:
        OSError: If a folder cannot be read.
        FolderError: If there is no file, or something that is neither a file nor a folder.
    """
    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(parent, name) for name in names if not name.startswith(".")]
    if not files:
        raise FolderError(f"source {str(folder)!r} is a folder without files: give one with labelled headlines")
    for file in files:
        if not file.is_file():
            raise FolderError(
                f"source {str(folder)!r} holds {str(file)!r}, which is no regular file: take it out of the folder"
            )
    return sorted(files)


def _refuse(error: OSError) -> NoReturn:
    raise error

"""The copy of a warehouse that is kept beside it before a migration changes it."""

import os
import shutil
from itertools import count
from pathlib import Path
from typing import BinaryIO

from schemas.files import OutputError, appearing_file
from storage.unfit import WarehouseUnwritableError

CHUNK = 1 << 20
"""Bytes that are copied at once."""


def keep_copy(path: Path, content: BinaryIO, number: int) -> Path:
    """Copy a warehouse to a file beside it; the copy appears when all of it is on the disk.

    Args:
        path: The warehouse. Nobody may write to it meanwhile.
        content: Its bytes, see `storage.opening.bytes_of`.
        number: The first migration that it lacks.

    Returns:
        The copy: a name that was free, as in `warehouse.before-migration-0020.duckdb`.

    Raises:
        WarehouseUnwritableError: The disk is full, or takes no new file here; there is no copy then.
    """
    copy = _free_name(path, number)
    try:
        with appearing_file(copy) as unfinished:
            with unfinished.open("wb") as file:
                shutil.copyfileobj(content, file, CHUNK)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(path, unfinished)
    except OutputError as error:
        raise WarehouseUnwritableError(f"warehouse {path}: not migrated, and stays as it was; {error}") from error
    _sync_folder(copy.parent)
    return copy


def _free_name(path: Path, number: int) -> Path:
    """A name that no file has: an earlier copy may be of an older state, and is never replaced."""
    name = f"{path.stem}.before-migration-{number:04}"
    names = (f"{name}-{copies}" if copies > 1 else name for copies in count(1))
    return next(copy for stem in names if not os.path.lexists(copy := path.with_name(f"{stem}{path.suffix}")))


def _sync_folder(folder: Path) -> None:
    """Have the system write the name of a new file to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The copy of a warehouse that is kept beside it before a migration changes it."""

import os
import shutil
from collections.abc import Iterator
from functools import partial
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
        The copy: a name that was free, as in `warehouse.before-migration-0020.duckdb`, or a copy of the same bytes that
        a killed process left.

    Raises:
        WarehouseUnwritableError: The disk is full, or takes no new file here; there is no copy then.
    """
    copy = next(name for name in _names(path, number) if not os.path.lexists(name) or _is_copy(name, content))
    if os.path.lexists(copy):
        return copy
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


def _is_copy(name: Path, content: BinaryIO) -> bool:
    """Whether a file has these bytes; a link counts as another file."""
    if name.is_symlink() or not name.is_file() or name.stat().st_size != content.seek(0, os.SEEK_END):
        content.seek(0)
        return False
    content.seek(0)
    with name.open("rb") as other:
        same = all(other.read(CHUNK) == piece for piece in iter(partial(content.read, CHUNK), b""))
    content.seek(0)
    return same


def _names(path: Path, number: int) -> Iterator[Path]:
    """The names of copies, one after the other: an earlier one may be of an older state, and is never replaced."""
    name = f"{path.stem}.before-migration-{number:04}"
    for copies in count(1):
        yield path.with_name(f"{name}{f'-{copies}' if copies > 1 else ''}{path.suffix}")


def _sync_folder(folder: Path) -> None:
    """Have the system write the name of a new file to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The files of a source: found, hashed and read."""

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from embedded.paths import EMBEDDED
from ingestion import phrasebank
from ingestion.folders import list_folder
from schemas.errors import InputError
from schemas.nearest import did_you_mean_path
from schemas.paths import describe_place

MAX_BYTES = 4 * 1024**3
"""A larger file is not read, since it is held in memory."""


class SourceError(InputError):
    """A source is not there, cannot be read, changes while it is read, holds too much, or has no rows."""


@dataclass(frozen=True)
class SourceFile:
    """A file of a source as it was found: its display name, the number of its bytes, and its path."""

    name: str
    size: int
    path: Path
    beside: "tuple[SourceFile, ...]" = ()
    """Files of unpacked FinancialPhraseBank that show how far the annotators of its rows agree."""


class FoundFiles(NamedTuple):
    """The files of a source, and the others there that are not read, each with the reason."""

    files: tuple[SourceFile, ...]
    not_read: tuple[str, ...] = ()


def find_files(path: Path, name: str, shown: str, agreement: int) -> FoundFiles:
    """Find a file, the file of unpacked FinancialPhraseBank, or each file of a folder in order.

    Args:
        path: The file or folder.
        name: Its display name.
        shown: The setting that names it, for errors.
        agreement: The agreement level for FinancialPhraseBank.

    Raises:
        InputError: If it does not exist, is not readable, is too large or is not a regular file.
    """
    with _system_errors(shown, path):
        if not path.is_dir():
            return FoundFiles((_find_file(path, name, shown),))
        if phrasebank.is_folder(path):
            file = phrasebank.find_file(path, agreement)
            beside = [_find_file(other, f"{name}/{other.name}", str(other)) for other in phrasebank.find_beside(file)]
            found = replace(_find_file(file, f"{name}/{file.name}", str(file)), beside=tuple(beside))
            return FoundFiles((found,), phrasebank.describe_others(file))
        files, not_read = list_folder(path)
        named = ((file, f"{name}/{file.relative_to(path).as_posix()}") for file in files)
        return FoundFiles(tuple(_find_file(file, display_name, str(file)) for file, display_name in named), not_read)


def hash_file(file: SourceFile, shown: str) -> str:
    """The SHA-256 of a file, as hexadecimal digits, in bounded memory.

    Raises:
        SourceError: If it cannot be read.
    """
    with _system_errors(shown, file.path), file.path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_file(file: SourceFile, shown: str) -> bytes:
    """The bytes of a file.

    Raises:
        SourceError: If it cannot be read.
    """
    with _system_errors(shown, file.path):
        return file.path.read_bytes()


def hash_bytes(content: bytes) -> str:
    """SHA-256, as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _find_file(path: Path, name: str, shown: str) -> SourceFile:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"source {shown!r} is not a regular file: save its content in one, and give that")
    if status.st_size > MAX_BYTES:
        raise SourceError(
            f"source {shown!r} has {status.st_size:,} bytes, more than the {MAX_BYTES:,} that are read: split it into "
            "files of a folder, and give that"
        )
    return SourceFile(name, status.st_size, path)


@contextmanager
def _system_errors(source: str, path: Path) -> Iterator[None]:
    """Turn errors of the file system in the block into one line."""
    try:
        yield
    except InputError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        if source == EMBEDDED:
            raise SourceError(f"source {source!r}: the file that ships is missing; install fintone again") from None
        hint = did_you_mean_path(source, EMBEDDED)
        place = describe_place(source, path)
        raise SourceError(
            f"source {source!r} does not exist{place}{hint or ':'} give the path of a file or folder, hf:ORG/NAME, or "
            f"`{EMBEDDED}`"
        ) from None
    except (OSError, ValueError) as error:  # a path with a NUL character is a ValueError
        named = getattr(error, "filename", None)
        at = "" if named in {None, str(path)} else f" at {named!r}"
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"source {source!r} cannot be read{at} ({reason}): check its path and permissions") from None

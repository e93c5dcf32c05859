"""Zip archives, read in memory and within bounds: their files and the bytes of one. Extracts nothing to disk."""

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from ingestion import bounds
from ingestion.passed_over import describe_why
from schemas.errors import InputError
from schemas.listing import list_some
from schemas.reasons import describe_reason

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)


class ArchiveError(InputError):
    """A zip is broken, unsafe, or does not hold what was looked for."""


def is_zip(content: bytes) -> bool:
    """Whether the bytes begin like a zip archive."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def open_zip(content: bytes, source: str) -> zipfile.ZipFile:
    """Open an archive from its bytes.

    Raises:
        ArchiveError: If it is broken, or the declared size of a member exceeds the bounds. Reading stops at that size.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _BROKEN as error:
        raise _unreadable(source, error) from None
    for member in archive.infolist():
        _check_bounds(member, source)
    return archive


def list_files(archive: zipfile.ZipFile) -> list[str]:
    """The names of the archive's files that may hold data."""
    return [name for name in _names(archive) if describe_why(PurePosixPath(name)) is None]


def describe_others(archive: zipfile.ZipFile) -> tuple[str, ...]:
    """The archive's other files (see `ingestion.passed_over`), each with the reason why it is not read."""
    reasons = {name: describe_why(PurePosixPath(name)) for name in _names(archive)}
    return tuple(f"{name} ({why})" for name, why in reasons.items() if why)


def read_member(archive: zipfile.ZipFile, name: str, source: str) -> bytes:
    """The bytes of a member.

    Raises:
        ArchiveError: If it is damaged or needs a password.
    """
    try:
        return archive.read(name)
    except _BROKEN as error:
        raise _unreadable(source, error) from None


def describe_files(files: Sequence[str]) -> str:
    """The first few names, for an error."""
    return list_some([repr(name) for name in files]) or "nothing"


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if not name.endswith("/")]


def _check_bounds(member: zipfile.ZipInfo, source: str) -> None:
    if member.compress_type not in _COMPRESSIONS:
        raise ArchiveError(
            f"source {source!r}: {member.filename!r} in it is packed by method {member.compress_type}, neither stored "
            "nor deflated: unpack it yourself and give the file"
        )
    if member.file_size > bounds.most_unpacked(member.compress_size):
        raise ArchiveError(
            f"source {source!r}: {member.filename!r} in it would unpack from {member.compress_size:,} to "
            f"{member.file_size:,} bytes, over {bounds.describe_unpacked()}: "
            "if you trust it, unpack it yourself and give the file"
        )


def _unreadable(source: str, error: Exception) -> ArchiveError:
    return ArchiveError(f"source {source!r} is a zip that cannot be read ({describe_reason(error)}): get it again")

"""Files that are not a usable warehouse: what is wrong, found before DuckDB opens the file or from DuckDB's error."""

import os
import re
from pathlib import Path
from typing import BinaryIO, cast

import duckdb

from schemas.errors import FailureError, InputError
from schemas.reasons import first_line

TORN_SIZES = (0, 4_096, 8_192)
"""Sizes in bytes of a file that a killed process had begun: DuckDB writes three headers, then everything else."""
HEADERS = 12_288
"""Bytes of DuckDB's three headers."""

_LATER = ("adapters", "reports")
"""Folders of a home that are filled only once its warehouse is whole."""

_UNWRITABLE = "Could not write file"
_FORBIDDEN = re.compile(r"Cannot open file \"?(.*?)\"?: (Permission denied|Read-only file system)")
_DENIED = "Permission denied"
_OTHERS_LOG = "WAL does not match database file"
_OLD_LOG = "WAL checkpoint iteration does not match"
_DAMAGED = ("Could not read enough bytes", "Corrupt database file", "Failure while replaying WAL", "not a valid DuckDB")


class WarehouseMissingError(InputError):
    """There is no warehouse yet."""


class WarehouseTooNewError(InputError):
    """A newer fintone made the warehouse."""


class WarehouseGapError(InputError):
    """It lacks a migration from before its newest one, which cannot be run any more; it is left unchanged."""


class NotAWarehouseError(InputError):
    """The file is something else, and is left unchanged."""


class WarehouseUnreadableError(InputError):
    """The system refuses to read the file, as where it belongs to someone else."""


class WarehouseDamagedError(InputError):
    """The file is a damaged warehouse, or its log does not belong to it; both are left unchanged."""


class WarehouseUnwritableError(FailureError):
    """The system refused to write, as when the disk is full or the file is not ours; all changes are undone."""


class WarehouseReadOnlyError(WarehouseUnwritableError):
    """The warehouse, or its disk, is read-only."""


def check_file(path: Path) -> None:
    """Check the file itself, because DuckDB would fetch an extension for some foreign files, and opens a torn one.

    Raises:
        WarehouseMissingError: There is no file, or only the beginning of a new one.
        NotAWarehouseError: It is something else.
        WarehouseUnreadableError: It may not be read.
        WarehouseDamagedError: It is shorter than its headers. Other missing parts show when it is read.
    """
    try:
        with path.open("rb") as file:
            is_duckdb, is_torn = recognise(file, path)
            size = file.seek(0, os.SEEK_END)
    except (FileNotFoundError, NotADirectoryError):
        is_torn = True
    except PermissionError as error:
        raise _unreadable(path, str(error.strerror)) from error
    except OSError as error:
        raise not_a_warehouse(path, str(error.strerror)) from error
    if is_torn:
        raise WarehouseMissingError(
            f"warehouse {path.absolute()}: does not exist; run `fintone run` first, or set FINTONE_HOME"
        )
    if not is_duckdb and size:
        raise not_a_warehouse(path, "not a DuckDB file")
    if size < HEADERS:
        raise cut_short(path, size, HEADERS)


def recognise(file: BinaryIO, path: Path) -> tuple[bool, bool]:
    """Whether a file is DuckDB's, and whether it is torn: only the beginning of a new one.

    Beside adapters or reports it cannot be new: then it is what is left of an old one.
    """
    is_duckdb = file.read(12)[8:] == b"DUCK"
    size = file.seek(0, os.SEEK_END)
    is_short = size in TORN_SIZES and (is_duckdb or size == 0)
    return is_duckdb, is_short and not any(any(path.parent.glob(f"{name}/*")) for name in _LATER)


def may_be_written(path: Path) -> bool:
    """Whether the file, the log of a transaction and, to make one, their folder may be written."""
    return _find_unwritable(path) is None


def _find_unwritable(path: Path) -> Path | None:
    """What may not be written: the folder, the file, or its log, which another user's killed process may have left."""
    places = [place for place in (path, _log_of(path)) if place.exists()]
    return next((place for place in (path.parent, *places) if not os.access(place, os.W_OK, effective_ids=True)), None)


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def check_home_writable(path: Path) -> None:
    """Check that a command may change a warehouse and the other files of its home.

    Raises:
        WarehouseReadOnlyError: It may not.
    """
    if place := _find_unwritable(path):
        what = "" if place == path.parent else f" ({place.name})"
        raise WarehouseReadOnlyError(
            f"home {path.parent}: may not be written{what}; make it writable, or set FINTONE_HOME"
        )


def explain_opening(error: duckdb.Error, path: Path, *, read_only: bool) -> Exception:
    """The error to raise if DuckDB could not open a file that no process holds."""
    message = first_line(error)
    if _UNWRITABLE in message:
        return cast("Exception", error)
    if isinstance(error, duckdb.OutOfMemoryException):
        return MemoryError()
    if forbidden := _FORBIDDEN.search(message):
        if read_only:
            return _unreadable(Path(forbidden[1]), forbidden[2])
        return WarehouseReadOnlyError(
            f"warehouse {path}: may not be written ({forbidden[2]}); make it writable, or set FINTONE_HOME"
        )
    return find_damage(error, path) or not_a_warehouse(path, f"DuckDB {duckdb.__version__}: {message}")


def find_damage(error: duckdb.Error, path: Path) -> WarehouseDamagedError | None:
    """The error for a damaged file or log, if an error of DuckDB shows that; else None."""
    message, log = str(error), _log_of(path)
    if _OTHERS_LOG in message:
        return WarehouseDamagedError(
            f"warehouse {path}: {log.name} beside it is the log of another database; move that file to the database "
            "that it belongs to"
        )
    if _OLD_LOG in message:
        return WarehouseDamagedError(
            f"warehouse {path}: {log.name} beside it is of an earlier state of this warehouse, as if only one of the "
            "two had been copied; move that file away"
        )
    if any(words in message for words in _DAMAGED):
        return damaged(path, _reason(error))
    return None


def explain_refusal(error: duckdb.Error, path: Path) -> Exception:
    """The error to raise if DuckDB failed on an open file."""
    remedy = "free disk space, try again"
    if _DENIED in str(error):
        place = _find_unwritable(path) or path
        remedy = f"{place.name} belongs to another user: have its owner run a command, or make it writable"
    return find_damage(error, path) or WarehouseUnwritableError(
        f"warehouse {path}: cannot be written ({_reason(error)}), and keeps what it had before; {remedy}"
    )


def damaged(path: Path, reason: str) -> WarehouseDamagedError:
    """The error for a file that is not whole."""
    return WarehouseDamagedError(
        f"warehouse {path}: is damaged ({reason}); put a backup in its place, or move it away and run again"
    )


def cut_short(path: Path, size: int, needed: int) -> WarehouseDamagedError:
    """The error for a file that lacks its end; sizes in bytes."""
    return damaged(path, f"it is cut short: {size:,} of {needed:,} bytes or more are there")


def not_a_warehouse(path: Path, reason: str) -> NotAWarehouseError:
    """The error for a file that is something else."""
    return NotAWarehouseError(f"warehouse {path}: no warehouse of fintone ({reason}); move it away or set FINTONE_HOME")


def _unreadable(path: Path, reason: str) -> WarehouseUnreadableError:
    return WarehouseUnreadableError(
        f"warehouse {path}: cannot be read ({reason}); ask its owner for access, or set FINTONE_HOME"
    )


def _reason(error: duckdb.Error) -> str:
    """DuckDB's message after the name of the file."""
    return first_line(error).rpartition('": ')[2]

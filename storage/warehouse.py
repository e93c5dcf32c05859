"""Opening the warehouse: one DuckDB file, short transactions, migrations. Knows no table but its record of migrations.

DuckDB lets one process write to a file or many read it, and within a process all connections to a file must be of one
kind. So a transaction here opens the file, does its work and closes it, threads of a process take turns, and whoever
finds the file taken by another process tries again for a while; see `storage.gate` for who goes first.
"""

import fcntl
import os
import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import duckdb

from schemas.errors import FailureError, InputError
from storage.gate import standing_before

SQL_FOLDER = Path(__file__).parent / "sql"
MIGRATIONS_FOLDER = SQL_FOLDER / "migrations"
_VIEWS = ("macros.sql", "views.sql", "data_views.sql", "metric_views.sql", "comparison_views.sql", "score_views.sql")
VIEWS_FILES = tuple(SQL_FOLDER / name for name in _VIEWS)

WRITE_PATIENCE = 300.0
"""Seconds that a writer waits for the file: an analyst's long query must not cost a study its cell."""
READ_PATIENCE = 10.0
"""Seconds that a reader waits for the file: another process may write a large source into it."""
QUERY_PATIENCE = 1.0
"""Seconds that a person's query waits for the file."""
RETRY_INTERVAL = 0.05
"""Seconds between two attempts of a reader to open a file that another process holds, more or less."""
WRITE_INTERVAL = 0.005
"""The same of a writer, who must find the moment at which no reader has it."""

TORN_SIZES = (0, 4_096, 8_192)
"""Bytes of a file that DuckDB had begun to make when its process was killed: it writes three headers, then all else."""

_BUSY = ("Could not set lock on file", "with a different configuration than existing connections")
_UNWRITABLE = "Could not write file"
_FORBIDDEN = re.compile(r"Cannot open file .*: (Permission denied|Read-only file system)")
_thread_turn = threading.Lock()


class WarehouseMissingError(InputError):
    """There is no warehouse yet."""


class WarehouseTooNewError(InputError):
    """A newer fintone made the warehouse."""


class NotAWarehouseError(InputError):
    """The file is something else, and is left as it is."""


class WarehouseLockedError(FailureError):
    """Someone else held the warehouse for longer than we wait."""


class WarehouseUnwritableError(FailureError):
    """The system refused to write, as when the disk is full or the file is not ours; what was done is undone."""


def prepare_warehouse(path: Path) -> None:
    """Create the warehouse if it is absent, run the migrations that it lacks and define its views anew.

    All of it is one transaction. A file that is refused stays as it was, byte for byte.

    Raises:
        NotAWarehouseError: The file is no DuckDB file, or one with tables that are not ours.
        WarehouseTooNewError: The file has migrations that this version does not know.
        WarehouseLockedError: Another process or thread held the file all the while.
    """
    is_new = not path.exists() or _remove_torn(path)
    if not is_new:
        with _opened(path, read_only=True, patience=READ_PATIENCE) as connection:
            _last_migration(connection, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _migrate(path)
    except WarehouseUnwritableError:
        if is_new:
            path.unlink(missing_ok=True)
        raise


def _migrate(path: Path) -> None:
    opened = _opened(path, read_only=False, patience=WRITE_PATIENCE, may_be_new=True)
    with _refusals_told(path), opened as connection, _transaction(connection):
        last = _last_migration(connection, path)
        for number, migration in _migrations().items():
            if number > last:
                connection.execute(migration.read_text(encoding="utf-8"))
                record = "INSERT INTO fintone_migrations (number, name, applied_at) VALUES (?, ?, ?)"
                connection.execute(record, [number, migration.stem, utc_now()])
        for views in VIEWS_FILES:
            connection.execute(views.read_text(encoding="utf-8"))


@contextmanager
def writing(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """One transaction that may write: committed at the end of the block, rolled back if the block raises.

    Raises:
        WarehouseMissingError: There is no warehouse at `path`.
        NotAWarehouseError: The file is something else.
        WarehouseTooNewError: A newer fintone made it.
        WarehouseLockedError: Another process or thread held it for `WRITE_PATIENCE` seconds.
        WarehouseUnwritableError: The system refused to write.
    """
    with _refusals_told(path), _opened(path, read_only=False, patience=WRITE_PATIENCE) as connection:
        _check_prepared(connection, path)
        with _transaction(connection):
            yield connection


@contextmanager
def reading(path: Path, patience: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads; nobody writes while it is open.

    Args:
        path: The DuckDB file.
        patience: Seconds to wait for it, `READ_PATIENCE` if not given.

    Raises:
        WarehouseMissingError: There is no warehouse at `path`.
        NotAWarehouseError: The file is something else.
        WarehouseTooNewError: A newer fintone made it.
        WarehouseLockedError: Another process or thread held it for so long.
    """
    with _opened(path, read_only=True, patience=READ_PATIENCE if patience is None else patience) as connection:
        _check_prepared(connection, path)
        yield connection


def inspect_warehouse(path: Path, patience: float) -> tuple[int, int]:
    """Open a warehouse to read it, then as a run would, and leave it as it is.

    Args:
        path: The file.
        patience: Seconds to wait, each time, while another process holds it.

    Returns:
        The number of its newest migration, and that of the newest that this version knows.

    Raises:
        WarehouseMissingError: There is no warehouse at `path`.
        NotAWarehouseError: The file is something else.
        WarehouseTooNewError: A newer fintone made it.
        WarehouseLockedError: Another process or thread held it all the while.
        WarehouseUnwritableError: It may be read and not written.
    """
    with _opened(path, read_only=True, patience=patience) as connection:
        _check_prepared(connection, path)
        last = _last_migration(connection, path)
    with _opened(path, read_only=False, patience=patience):
        return last, max(_migrations())


def is_up_to_date(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the warehouse has every migration; one that is only looked into may lack some."""
    [(last,)] = connection.execute("SELECT max(number) FROM fintone_migrations").fetchall()
    return bool(last == max(_migrations()))


def utc_now() -> datetime:
    """The time in UTC without a zone, as every TIMESTAMP column holds it; DuckDB stores a zoned one as local time."""
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def _refusals_told(path: Path) -> Iterator[None]:
    """What the system refuses to write in the block, in one line."""
    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
        reason = str(error).splitlines()[0].rpartition('": ')[2]
        raise WarehouseUnwritableError(
            f"warehouse {path}: cannot be written ({reason}), and keeps what it had before; free disk space, try again"
        ) from error


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


@contextmanager
def _opened(
    path: Path, *, read_only: bool, patience: float, may_be_new: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file, in this thread's turn: to open and close it besides would free the lock that DuckDB has on it."""
    deadline = time.monotonic() + patience
    if not _thread_turn.acquire(timeout=patience):
        raise WarehouseLockedError(f"warehouse {path}: this process still has it open in another block or thread")
    try:
        if path.exists() or not may_be_new:
            _check_duckdb_file(path)
        with closing(_connect(path, read_only=read_only, deadline=deadline)) as connection:
            yield connection
    finally:
        _thread_turn.release()


def _connect(path: Path, *, read_only: bool, deadline: float) -> duckdb.DuckDBPyConnection:
    """Open the file, trying again until `deadline` (of `time.monotonic`) while another process holds it."""
    with standing_before(path, read_only=read_only) as gate:
        while True:
            reason = "another process waits to write to it"
            if gate.lets_pass():
                try:
                    return duckdb.connect(path, read_only=read_only)
                except duckdb.Error as error:
                    reason = _tell_holder(error, path, read_only=read_only)
            if time.monotonic() > deadline:
                raise WarehouseLockedError(f"warehouse {path}: {reason}; try again later")
            time.sleep(random.uniform(0.5, 1.5) * RETRY_INTERVAL if read_only else WRITE_INTERVAL)


def _tell_holder(error: duckdb.Error, path: Path, *, read_only: bool) -> str:
    """That somebody holds a file, and who, where DuckDB could not open it for that; every other reason is raised."""
    message = str(error).splitlines()[0]
    if _UNWRITABLE in message:
        raise error
    forbidden = _FORBIDDEN.search(message)
    if forbidden and not read_only:
        raise WarehouseUnwritableError(
            f"warehouse {path}: may not be written ({forbidden[1]}); make it writable, or set FINTONE_HOME"
        ) from error
    if not any(words in message for words in _BUSY):
        raise _not_a_warehouse(path, f"DuckDB {duckdb.__version__}: {message}") from error
    process = re.search(r"PID \d+", message)
    return f"{f'another process ({process.group()})' if process else 'another connection of this process'} holds it"


def _check_duckdb_file(path: Path) -> None:
    """Look at the file's first bytes, because DuckDB itself would try to fetch an extension for some foreign files."""
    try:
        with path.open("rb") as file:
            is_duckdb, is_torn = _recognise(file)
    except (FileNotFoundError, NotADirectoryError):
        is_torn = True
    except OSError as error:
        raise _not_a_warehouse(path, str(error.strerror)) from error
    if is_torn:
        raise WarehouseMissingError(f"warehouse {path}: there is none; run `fintone run` first, or set FINTONE_HOME")
    if not is_duckdb:
        raise _not_a_warehouse(path, "not a DuckDB file")


def _remove_torn(path: Path) -> bool:
    """Delete the file if it is what a killed process had begun to make, and nobody is making it now."""
    with _thread_turn, suppress(OSError), path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # DuckDB's own kind of lock
        _, is_torn = _recognise(file)
        if is_torn:
            path.unlink()
            return True
    return False


def _recognise(file: BinaryIO) -> tuple[bool, bool]:
    """Whether a file is DuckDB's, and whether it is torn: no more than the beginning of a new one."""
    is_duckdb = file.read(12)[8:] == b"DUCK"
    size = file.seek(0, os.SEEK_END)
    return is_duckdb, size in TORN_SIZES and (is_duckdb or size == 0)


def _check_prepared(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    if _last_migration(connection, path) == 0:
        raise WarehouseMissingError(f"warehouse {path}: it is empty; run `fintone run` first, or set FINTONE_HOME")


def _last_migration(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The number of the newest migration that the file records; 0 for a file without a table."""
    tables = {name for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    if not tables:
        return 0
    if "fintone_migrations" not in tables:
        raise _not_a_warehouse(path, f"a DuckDB file of someone else, with the table {min(tables)}")
    [(last,)] = connection.execute("SELECT max(number) FROM fintone_migrations").fetchall()
    newest = max(_migrations())
    if last > newest:
        raise WarehouseTooNewError(
            f"warehouse {path}: a newer fintone made it (migration {last}, this one knows {newest}); upgrade fintone"
        )
    return int(last)


def _migrations() -> dict[int, Path]:
    """The files `NNNN_name.sql` by their number, ascending."""
    return {int(file.name[:4]): file for file in sorted(MIGRATIONS_FOLDER.glob("*.sql"))}


def _not_a_warehouse(path: Path, reason: str) -> NotAWarehouseError:
    return NotAWarehouseError(f"warehouse {path}: no warehouse of fintone ({reason}); move it away or set FINTONE_HOME")

"""The warehouse: one DuckDB file, short transactions. See `storage.opening` for who may open it when."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from storage.backup import keep_copy
from storage.locks import holding
from storage.migrations import (
    apply_migrations,
    check_prepared,
    complete_until,
    explaining_gaps,
    is_up_to_date,
    known_migrations,
    lacks_nothing,
    missing_migrations,
    recorded_migrations,
)
from storage.opening import NAME, bytes_of, cursor_of, opened, thread_turn
from storage.unfit import (
    HEADERS,
    WarehouseReadOnlyError,
    WarehouseUnwritableError,
    cut_short,
    explain_refusal,
    find_damage,
    may_be_written,
    recognise,
)

WRITE_PATIENCE = 300.0
"""Seconds that a writer waits for the file: an analyst's long query must not cost a study its cell."""
READ_PATIENCE = 10.0
"""Seconds that a reader waits for the file: another process may write a large source into it."""
QUERY_PATIENCE = 10.0
"""Seconds that a person's query waits for the file; a message names who holds it within the first."""
_shared: ContextVar[tuple[Path, duckdb.DuckDBPyConnection] | None] = ContextVar("shared", default=None)
_log = logging.getLogger("fintone.warehouse")


def prepare_to_read(path: Path) -> None:
    """Update a warehouse that is to be read, if it exists; one that is up to date need not be writable.

    Raises:
        WarehouseUnwritableError: It lacks a migration and cannot be written.
        InputError, FailureError: As `prepare_warehouse` does.
    """
    if not path.exists():
        return
    try:
        prepare_warehouse(path)
    except WarehouseReadOnlyError as error:
        with reading(path) as connection:
            recorded = recorded_migrations(connection, path)
        if missing_migrations(recorded):
            state = f"migration {complete_until(recorded)} of {max(known_migrations())}"
            raise WarehouseReadOnlyError(
                f"warehouse {path}: an older fintone made it ({state}) and it may not be written; make it "
                "writable for the next command, which brings it up to date"
            ) from error


def migrate_to_read(path: Path) -> None:
    """Bring a warehouse up to date if it lacks a migration; else leave it alone, since others may be writing to it.

    Raises:
        WarehouseMissingError: There is no warehouse at `path`.
        InputError, FailureError: As `prepare_to_read` does.
    """
    if not is_current(path):
        prepare_to_read(path)


def prepare_warehouse(path: Path) -> None:
    """Create the warehouse if it is absent, run the migrations that it lacks and bring its views up to date.

    One that lacks nothing is opened for reading only, and so does not wait for others who read it. All changes are one
    transaction. A file that is refused stays as it was, byte for byte. One that lacks migrations is copied beside it
    first; the log `fintone.warehouse` names the copy.

    Raises:
        NotAWarehouseError: The file is no DuckDB file, or one with tables that are not ours.
        WarehouseTooNewError: The file has migrations that this version does not know.
        WarehouseGapError: It lacks a migration from before its newest one, which cannot be run any more.
        WarehouseLockedError: Another process or thread held the file all the while.
        WarehouseUnwritableError: The system refused to write, or to keep the copy.
    """
    if path.exists() and not _is_torn(path):
        with _explaining_damage(path), opened(path, read_only=True, patience=READ_PATIENCE) as connection:
            is_ready = lacks_nothing(connection, path)
        if not is_ready or not may_be_written(path):
            _migrate(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with holding(path, "warehouse", "new"):  # several first runs may begin at once
        _remove_torn(path)
        is_new = not path.exists()
        try:
            _migrate(path)
        except WarehouseUnwritableError:
            if is_new:
                path.unlink(missing_ok=True)
            raise


def _migrate(path: Path) -> None:
    copy = None
    file = opened(path, read_only=False, patience=WRITE_PATIENCE, may_be_new=True)
    with ExitStack() as afterwards, _explaining_refusals(path), file as connection:
        recorded = recorded_migrations(connection, path)
        missing = missing_migrations(recorded)
        if recorded and missing:
            connection.execute("CHECKPOINT")  # the log of a killed process becomes part of the file
            copy = keep_copy(path, afterwards.enter_context(bytes_of(path)), min(missing))
        with _dropped_on_error(copy), explaining_gaps(path, recorded, missing), _transaction(connection):
            apply_migrations(connection, missing, utc_now())
    if copy:
        first, last = complete_until(recorded), max(known_migrations())
        _log.warning("warehouse %s: migrated from %d to %d; the file as it was: %s", path, first, last, copy)


@contextmanager
def _dropped_on_error(copy: Path | None) -> Iterator[None]:
    """Delete a copy of the warehouse if the block raises: the migration is undone."""
    try:
        yield
    except BaseException:
        if copy:
            copy.unlink()
        raise


@contextmanager
def writing(path: Path, patience: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """One transaction that may write: committed at the end of the block, rolled back if the block raises.

    Args:
        path: The DuckDB file.
        patience: Seconds to wait for it, `WRITE_PATIENCE` if not given.

    Raises:
        WarehouseMissingError: There is no warehouse at `path`.
        NotAWarehouseError: The file is something else.
        WarehouseTooNewError: A newer fintone made it.
        WarehouseLockedError: Another process or thread held it for so long.
        WarehouseUnwritableError: The system refused to write.
    """
    file = opened(path, read_only=False, patience=WRITE_PATIENCE if patience is None else patience)
    with _explaining_refusals(path), file as connection:
        check_prepared(connection, path)
        with _transaction(connection):
            yield connection


@contextmanager
def reading(
    path: Path, patience: float | None = None, limits: str | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads; nobody writes while it is open.

    Args:
        path: The DuckDB file.
        patience: Seconds to wait for it, `READ_PATIENCE` if not given.
        limits: For a DuckDB of its own, SQL that limits it before the file is read.

    Raises:
        WarehouseMissingError: There is no warehouse at `path`.
        NotAWarehouseError: The file is something else.
        WarehouseTooNewError: A newer fintone made it.
        WarehouseLockedError: Another process or thread held it for so long.
    """
    if (shared := _shared.get()) and shared[0] == path and limits is None:
        with _explaining_damage(path), closing(cursor_of(shared[1])) as connection:
            yield connection
        return
    file = opened(path, read_only=True, patience=READ_PATIENCE if patience is None else patience, limits=limits)
    with _explaining_damage(path), file as connection:
        check_prepared(connection, path)
        yield connection


@contextmanager
def reading_together(path: Path) -> Iterator[None]:
    """Open the file once for every `reading` in the block: an opening takes longer than most reads.

    All of them then see the same state. The block must not write.

    Raises:
        InputError, FailureError: As `reading` does.
    """
    with reading(path) as connection:
        token = _shared.set((path, connection))
        try:
            yield
        finally:
            _shared.reset(token)


def inspect_warehouse(path: Path, patience: float) -> tuple[int, int]:
    """Open a warehouse to read it, then as a run would, and leave it as it is.

    Args:
        path: The file.
        patience: Seconds to wait, each time, while another process holds it.

    Returns:
        The number of the last migration up to which it lacks none, and that of the newest that this version knows.

    Raises:
        WarehouseMissingError: There is no warehouse at `path`.
        NotAWarehouseError: The file is something else.
        WarehouseTooNewError: A newer fintone made it.
        WarehouseLockedError: Another process or thread held it all the while.
        WarehouseUnwritableError: It may be read but not written.
    """
    with _explaining_damage(path), opened(path, read_only=True, patience=patience) as connection:
        check_prepared(connection, path)
        last = complete_until(recorded_migrations(connection, path))
        needed = _count_bytes(connection)
    size = path.stat().st_size
    if size < needed:
        raise cut_short(path, size, needed)
    with opened(path, read_only=False, patience=patience):
        return last, max(known_migrations())


def _count_bytes(connection: duckdb.DuckDBPyConnection) -> int:
    """The least size of a file in bytes, by the last of the blocks that its tables and its catalogue use."""
    tables = connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
    lists = "greatest(block_id, list_max(additional_block_ids))"
    last = [f"SELECT max({lists}) AS last FROM pragma_storage_info('{name}')" for (name,) in tables]  # noqa: S608
    last.append("SELECT max(block_id) FROM pragma_metadata_info()")
    [(blocks,)] = connection.execute(f"SELECT coalesce(max(last), -1) + 1 FROM ({' UNION ALL '.join(last)})").fetchall()  # noqa: S608
    sized = "SELECT block_size FROM pragma_database_size() WHERE database_name = ?"
    [(size,)] = connection.execute(sized, [NAME]).fetchall()
    return HEADERS + int(blocks) * int(size)


def is_current(path: Path) -> bool:
    """Whether an existing warehouse has every migration."""
    with reading(path) as connection:
        return is_up_to_date(connection)


def utc_now() -> datetime:
    """The time in UTC without a zone, as every TIMESTAMP column holds it; DuckDB stores a zoned one as local time."""
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def _explaining_refusals(path: Path) -> Iterator[None]:
    """Raise what the system refuses to write or read in the block as an error of one line."""
    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
        raise explain_refusal(error, path) from error


@contextmanager
def _explaining_damage(path: Path) -> Iterator[None]:
    """Raise an error of one line if reading in the block shows that the file is damaged."""
    try:
        yield
    except duckdb.Error as error:
        raise find_damage(error, path) or error from error


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _is_torn(path: Path) -> bool:
    """Whether the file is only the beginning of a new one."""
    with thread_turn, suppress(OSError), path.open("rb") as file:
        return recognise(file, path)[1]
    return False


def _remove_torn(path: Path) -> None:
    """Delete the file if a killed process left only its beginning, and no other process is making it now."""
    with thread_turn, suppress(OSError), path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # DuckDB's own kind of lock
        if recognise(file, path)[1]:
            path.unlink()

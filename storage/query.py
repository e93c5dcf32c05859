"""A user's own SQL on the warehouse: it reads the warehouse and nothing else. Light to import."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX, Thread
from typing import Any

import duckdb

from schemas.errors import FailureError, InputError
from storage import warehouse
from storage.migrations import is_up_to_date
from storage.warehouse import reading

_CONFINE = """
SET temp_directory = '';
SET secret_directory = '';
SET autoload_known_extensions = false;
SET autoinstall_known_extensions = false;
SET enable_external_access = false;
SET python_enable_replacements = false;
SET disabled_filesystems = 'LocalFileSystem';
SET lock_configuration = true;
"""
"""No spill file, network, extension or Python variable, no path but the warehouse's in what a setting shows, and no
setting after these.

Without external access COPY may still overwrite the open file and its log, even in a read-only session, and
`WITH x AS (COPY ...) FROM x` counts as a SELECT; only disabling the file system prevents that.
"""

_ALLOWED = {"SELECT", "EXPLAIN", "MULTI"}
"""Kinds of statements; the last is what DuckDB makes of PIVOT."""

_USERS_FAULT = (
    duckdb.ProgrammingError,
    duckdb.DataError,
    duckdb.NotSupportedError,
    duckdb.PermissionException,
    duckdb.TransactionException,  # of functions that would checkpoint
)


_OLD = "; an older fintone made the warehouse, and `fintone report` brings it up to date"
ROWS_AT_ONCE = 10_000
"""Rows of an answer that are in memory together."""
SECONDS_TO_HEED = 0.5
"""Seconds that DuckDB may take to end a query that was interrupted."""
_MOST_GIGABYTES = 1e6
"""DuckDB reads no larger limit than some thousand times this."""
SECONDS, GIGABYTES = 60.0, 2.0
"""The limits of a query: seconds to compute, and gigabytes of memory."""


class QueryError(InputError):
    """The user's SQL is wrong, or does more than read the warehouse."""


class QueryLimitError(FailureError):
    """The query exceeded its time or its memory."""


@dataclass(frozen=True)
class QueryResult:
    """The result of a query: `rows` hold Python values, one for each of `columns` (names may repeat)."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[Any, ...]]


def query(path: Path, sql: str) -> "WholeResult":
    """Run one query as `asking` does, and return all of its rows: for results that are known to be small."""
    with asking(path, sql) as result:
        return WholeResult(result.columns, list(result.rows))


@dataclass(frozen=True)
class WholeResult(QueryResult):
    """An answer with all its rows in memory."""

    rows: list[tuple[Any, ...]]


@contextmanager
def asking(
    path: Path,
    sql: str,
    seconds: float = SECONDS,
    gigabytes: float = GIGABYTES,
    leave: Callable[[BaseException], object] = lambda _: None,
) -> Iterator[QueryResult]:
    """Run one query on the warehouse at `path`, and yield its rows as they come; it ends with the block.

    The query runs in a thread of its own, so that Ctrl-C and the time limit end it at any moment.

    Args:
        path: The DuckDB file, opened as by `storage.warehouse.reading`, for a person who waits.
        sql: The query.
        seconds: Time for DuckDB to compute it; the time that the caller takes with the rows does not count.
        gigabytes: Memory for DuckDB.
        leave: Called with the reason if DuckDB does not end a query that was interrupted, as in the middle of one call
            of a function; it should end the process, since the block would wait for DuckDB.

    Raises:
        QueryError: No query, more than one, one that does not only read the warehouse, or one that DuckDB refuses.
        QueryLimitError: It takes too long, or too much memory.
    """
    memory = f"SET memory_limit = '{min(gigabytes, _MOST_GIGABYTES) * 1e9:.0f}B';"
    with reading(path, warehouse.QUERY_PATIENCE, memory + _CONFINE) as connection:
        steps = _Steps(connection, seconds, leave)
        steps.run(lambda: connection.execute(_only_query(connection, sql)))
        columns = tuple(column[0] for column in connection.description)
        yield QueryResult(columns, _fetch(connection, steps))


def _fetch(connection: duckdb.DuckDBPyConnection, steps: "_Steps") -> Iterator[tuple[Any, ...]]:
    while rows := steps.run(lambda: connection.fetchmany(ROWS_AT_ONCE)):
        yield from rows


class _Steps:
    """Runs the steps of a query one after the other, each in a thread that the caller may interrupt."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, seconds: float, leave: Callable[[BaseException], object]
    ) -> None:
        self._connection, self._limit, self._left, self._leave = connection, seconds, seconds, leave

    def run(self, step: Callable[[], Any]) -> Any:
        outcome: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        thread = Thread(target=_put_outcome, args=(step, outcome), daemon=True)
        start = time.monotonic()
        thread.start()
        try:
            value, error = outcome.get(timeout=min(max(self._left, 0), TIMEOUT_MAX))
        except Empty:
            limit = f"sql: took longer than {self._limit:g} s; allow more with --timeout, or ask for less"
            raise self._end(thread, QueryLimitError(limit)) from None
        except BaseException as interruption:
            self._end(thread, interruption)
            raise
        self._left -= time.monotonic() - start
        if isinstance(error, duckdb.OutOfMemoryException):
            raise QueryLimitError(
                "sql: takes more memory than it may; allow more with --memory, or ask for less"
            ) from error
        if isinstance(error, _USERS_FAULT):
            old = "" if is_up_to_date(self._connection) else _OLD
            raise QueryError(f"sql: {_one_line(error)}{old}") from error
        if error:
            raise error
        return value

    def _end(self, thread: Thread, reason: BaseException) -> BaseException:
        """Interrupt DuckDB, and leave the process if that has no effect."""
        self._connection.interrupt()
        thread.join(SECONDS_TO_HEED)
        if thread.is_alive():
            self._leave(reason)
        return reason


def _put_outcome(step: Callable[[], Any], outcome: "SimpleQueue[tuple[Any, BaseException | None]]") -> None:
    try:
        outcome.put((step(), None))
    except BaseException as error:  # noqa: BLE001 (raised again in the thread of the caller)
        outcome.put((None, error))


def _only_query(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    try:
        sql.encode()
    except UnicodeEncodeError as error:  # bytes that the system's encoding could not read
        raise QueryError(
            "sql: holds bytes that are not text in the system's encoding; set one, as in LANG=C.UTF-8"
        ) from error
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"sql: {len(statements)} statements given; give one query, such as FROM studies")
    [statement] = statements
    kind = _name_kind(statement)
    if kind not in _ALLOWED:
        raise QueryError(f"sql: {kind} is not a query; a SELECT that reads the warehouse is")
    return statement


def _name_kind(statement: duckdb.Statement) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # DuckDB knows more kinds than its binding
        return "this"


def _one_line(error: duckdb.Error) -> str:
    """DuckDB's message without its excerpt of the query; for a disabled feature, what is allowed."""
    message = " ".join(str(error).split("\n\nLINE")[0].split())
    if isinstance(error, duckdb.PermissionException):
        return f"a query reads the warehouse only, no other file, network or extension ({message})"
    return message

"""Opening the warehouse's file: threads of a process take turns, and a process waits while another one holds it.

DuckDB lets one process write to a file or many read it, and within a process all connections to a file must be of one
kind. See `storage.gate` for who goes first. The log `fintone.warehouse` says that a process waits, for whom and
for how long; without a handler Python prints it to standard error.
"""

import logging
import math
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import BinaryIO

import duckdb

from schemas.errors import FailureError
from storage.gate import standing_before
from storage.holders import describe_process
from storage.unfit import check_file, explain_opening

RETRY_INTERVAL = 0.05
"""Seconds, about, between two attempts of a reader to open a file that another process holds."""
WRITE_INTERVAL = 0.005
"""The same for a writer, which must find the moment at which no reader has it."""
NOTICE_AFTER = 0.5
"""Seconds of waiting before the first message; most transactions take less."""
NOTICE_AGAIN_AFTER = 60.0
"""Seconds between further messages."""

READABLE_FROM = "v1.4.0"
"""The oldest DuckDB that reads a warehouse which is made now: analysts have clients of their own."""

_BUSY = ("Could not set lock on file", "with a different configuration than existing connections")
thread_turn = threading.Lock()
_is_endless: ContextVar[bool] = ContextVar("is_endless", default=False)
_log = logging.getLogger("fintone.warehouse")


class WarehouseLockedError(FailureError):
    """Another process held the warehouse for longer than the patience."""


@contextmanager
def waiting_without_end() -> Iterator[None]:
    """Wait for the warehouse without a limit in the block, as a study of hours should."""
    token = _is_endless.set(True)
    try:
        yield
    finally:
        _is_endless.reset(token)


@contextmanager
def opened(
    path: Path, *, read_only: bool, patience: float, may_be_new: bool = False, limits: str | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file, in this thread's turn: opening and closing it elsewhere would free DuckDB's lock on it.

    Args:
        path: The DuckDB file.
        read_only: For reading, together with other readers.
        patience: Seconds to wait for it, unless the caller waits without a limit.
        may_be_new: Create it if it is absent.
        limits: For a DuckDB of its own, which takes 15 ms to start: SQL that limits it before the file is read.

    Raises:
        WarehouseLockedError: Another process or thread held it all the time.
        InputError: There is none, or it is something else or damaged.
        WarehouseUnwritableError: It may not be written.
    """
    limit = math.inf if _is_endless.get() else patience
    deadline = time.monotonic() + limit
    if not thread_turn.acquire(timeout=min(limit, threading.TIMEOUT_MAX)):
        raise WarehouseLockedError(f"warehouse {path}: this process still has it open in another block or thread")
    try:
        if path.exists() or not may_be_new:
            check_file(path)
        opening = _engine.attached if limits is None else partial(_connect_alone, limits)
        with _connect(path, _Wait(path, deadline), opening, read_only=read_only) as found:
            yield found
    finally:
        thread_turn.release()


@contextmanager
def bytes_of(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file that this process has opened with DuckDB; leave this block after that of `opened`.

    To close a descriptor frees the lock that DuckDB has on the file: it is done while no thread has the file open.
    """
    file = path.open("rb")
    try:
        yield file
    finally:
        with thread_turn:
            file.close()


class _Wait:
    """One wait for the warehouse: its deadline, and the messages so far."""

    def __init__(self, path: Path, deadline: float) -> None:
        """Begin; `deadline` is of `time.monotonic`."""
        self._path, self._deadline = path, deadline
        self._start = time.monotonic()
        self._notice_at = self._start + NOTICE_AFTER

    def go_on(self, holder: duckdb.Error | None, interval: float) -> None:
        """Sleep for a moment, and log now and then who holds the file; give up after the deadline.

        Args:
            holder: DuckDB's refusal, which names the process; None if a writer waits before this one.
            interval: Seconds to sleep.

        Raises:
            WarehouseLockedError: The deadline has passed.
        """
        now = time.monotonic()
        left = self._deadline - now
        if left < 0:
            raise WarehouseLockedError(f"warehouse {self._path}: {_explain_wait(holder)}; try again later")
        if now >= self._notice_at and left > NOTICE_AFTER:
            limit = "until it is free" if left == math.inf else f"up to {left:.0f} s more"
            _log.warning("warehouse %s: %s; waiting %s, Ctrl-C ends it", self._path, _explain_wait(holder), limit)
            self._notice_at = now + NOTICE_AGAIN_AFTER
        time.sleep(interval)


Opening = Callable[[Path, bool], AbstractContextManager[duckdb.DuckDBPyConnection]]
"""Opens a file, read-only or not, and yields a connection to it."""


@contextmanager
def _connect(path: Path, wait: _Wait, opening: Opening, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file, trying again while another process holds it.

    DuckDB gets an absolute name: it would take the beginning of one such as `md:news/warehouse.duckdb` for a protocol.
    """
    with ExitStack() as opened_file:
        with standing_before(path, read_only=read_only) as gate:
            while True:
                holder = None
                if gate.lets_pass():
                    try:
                        connection = opened_file.enter_context(opening(path.absolute(), read_only))
                        break
                    except duckdb.Error as error:
                        if not any(words in str(error) for words in _BUSY):
                            raise explain_opening(error, path, read_only=read_only) from error
                        holder = error
                wait.go_on(holder, random.uniform(0.5, 1.5) * RETRY_INTERVAL if read_only else WRITE_INTERVAL)
        yield connection


@contextmanager
def _connect_alone(limits: str, path: Path, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:  # noqa: FBT001 (an `Opening`)
    with closing(duckdb.connect(path, read_only=read_only)) as connection:
        connection.execute(limits)
        yield connection


class _Engine:
    """The DuckDB of this process, to which a file is attached while it is open, in a third of the time of a start.

    A file is attached by one thread at a time; see `opened`. The DuckDB is confined to the file's folder, since a
    warehouse from elsewhere may have views and macros that read or write other files. Opening another file starts
    another DuckDB.
    """

    def __init__(self) -> None:
        self._started: duckdb.DuckDBPyConnection | None = None
        self._path = Path()

    @contextmanager
    def attached(self, path: Path, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:  # noqa: FBT001
        """A connection whose database is the file."""
        engine = self._start(path)
        engine.execute(f"ATTACH {_quote(str(path))} AS {NAME}{' (READ_ONLY)' if read_only else ''}")
        try:
            with closing(cursor_of(engine)) as connection:
                yield connection
        finally:
            self._detach(engine)

    def _start(self, path: Path) -> duckdb.DuckDBPyConnection:
        """The running DuckDB; what exceeds its memory goes beside the file, not into the working folder."""
        if self._path != path:
            self.close()
        if self._started is None:
            engine = duckdb.connect(
                config={"temp_directory": f"{path}.tmp", "storage_compatibility_version": READABLE_FROM}
            )
            engine.execute(_CONFINE.format(folder=_quote(f"{str(path.parent).rstrip('/')}/")))
            self._started, self._path = engine, path
        return self._started

    def _detach(self, engine: duckdb.DuckDBPyConnection) -> None:
        """Detach the file; a DuckDB that cannot, as after a fatal error, is closed, and the next one replaces it."""
        try:
            engine.execute(f"DETACH {NAME}")
        except duckdb.Error:
            self.close()

    def close(self) -> None:
        """End this DuckDB; the next file starts another one."""
        if self._started is not None:
            self._started.close()
            self._started = None


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


NAME = "warehouse"
"""The name of an attached file in DuckDB."""
_CONFINE = """
SET autoload_known_extensions = false;
SET autoinstall_known_extensions = false;
SET python_enable_replacements = false;
SET allowed_directories = [{folder}];
SET enable_external_access = false;
SET lock_configuration = true;
"""
"""No network, extension or Python variable, and no file but those of one folder."""
_engine = _Engine()


def cursor_of(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the attached file."""
    cursor = connection.cursor()
    cursor.execute(f"USE {NAME}")
    return cursor


def _explain_wait(error: duckdb.Error | None) -> str:
    """Who holds the file, from DuckDB's error; without an error, a writer that waits for it too."""
    if error is None:
        return "another process waits to write to it"
    process = re.search(r"PID (\d+)", str(error))
    who = f"another process ({describe_process(int(process[1]))})" if process else "another connection of this process"
    return f"{who} holds it"

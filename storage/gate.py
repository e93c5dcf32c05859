"""The gate before the warehouse: a waiting writer keeps new readers out now and then, so that they cannot starve it.

DuckDB lets readers in while a writer waits for earlier ones: a few that poll would keep it waiting forever.
The gate is an advisory lock on the warehouse's folder and leaves no file. Only fintone's
readers check it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SHUT_SECONDS = 0.5
"""Seconds that the gate is shut, and open, in turn: a writer may wait for one long query, other readers need not."""


class Gate:
    """One process's side of the gate, while it waits for the warehouse."""

    def __init__(self, folder: int, *, read_only: bool) -> None:
        """Wait at the gate, as a reader or a writer; `folder` is its open descriptor."""
        self._folder, self._read_only, self._since = folder, read_only, time.monotonic()

    def lets_pass(self) -> bool:
        """Whether to try the warehouse now; a writer always may, and shuts or opens the gate behind it."""
        if self._read_only:
            return self._lock(fcntl.LOCK_SH) and self._unlock()
        is_shut = int((time.monotonic() - self._since) / SHUT_SECONDS) % 2 == 0
        if is_shut:
            self._lock(fcntl.LOCK_EX)
        else:
            self._unlock()
        return True

    def _lock(self, kind: int) -> bool:
        """Take the lock if it is free; on a file system without such locks there is no gate, and everybody passes."""
        try:
            fcntl.flock(self._folder, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _unlock(self) -> bool:
        with suppress(OSError):
            fcntl.flock(self._folder, fcntl.LOCK_UN)
        return True


@contextmanager
def standing_before(warehouse: Path, *, read_only: bool) -> Iterator[Gate]:
    """Provide the gate while a process waits for the warehouse; it is open again after the block."""
    folder = os.open(warehouse.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield Gate(folder, read_only=read_only)
    finally:
        os.close(folder)

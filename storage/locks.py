"""Locks between processes: one process at a time runs a study, trains a cell or scores a source.

A lock is a file in the home's folder `locks`, under the kernel's lock for as long as its process lives; the file holds
the PID and is deleted when the lock is released. Folder and files have the rights of the home whatever the umask, so
that whoever may write to the home may take a lock that another user's killed process left. On a file system without
locks nothing is held, and nothing counts as abandoned.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE

from schemas.errors import FailureError
from schemas.files import FULL
from storage.holders import describe_process
from storage.home import file_name
from storage.opening import NOTICE_AFTER, NOTICE_AGAIN_AFTER
from storage.unfit import WarehouseUnwritableError

INTERVAL = 0.1
"""Seconds between two attempts to take a lock."""
FOLDER = "locks"
RUN, TIDYING = "run", "tidying"
"""The kind of lock that a running process holds, and the identifier of the home's lock that tidying up holds."""
_log = logging.getLogger("fintone.locks")


class HomeBusyError(FailureError):
    """Another process is running in the home."""


@contextmanager
def holding(warehouse: Path, kind: str, identifier: str) -> Iterator[None]:
    """Run the block alone among all processes and threads; wait while another one holds this lock, and log it.

    Args:
        warehouse: The DuckDB file; the locks are in its folder.
        kind: The kind of what is locked, as `study`.
        identifier: Which one.

    Raises:
        WarehouseUnwritableError: The lock cannot be made, as on a full disk.
    """
    path = _path_of(warehouse, kind, identifier)
    notice_at = time.monotonic() + NOTICE_AFTER
    while (descriptor := _take_or_explain(path)) is None:
        now = time.monotonic()
        if now >= notice_at:
            who = describe_holder(warehouse, kind, identifier)
            _log.warning("%s %s: %s is working on it; waiting until it is done", kind, identifier, who)
            notice_at = now + NOTICE_AGAIN_AFTER
        time.sleep(INTERVAL)
    try:
        yield
    finally:
        _give_back(path, descriptor)


@contextmanager
def holding_if_free(warehouse: Path, kind: str, identifier: str) -> Iterator[bool]:
    """Hold a lock in the block if it is free, and yield whether; False also where there are no locks."""
    path = _path_of(warehouse, kind, identifier)
    descriptor = None
    with suppress(OSError):
        descriptor = _take(path, needs_lock=True)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            _give_back(path, descriptor)


@contextmanager
def registered_run(warehouse: Path) -> Iterator[None]:
    """Register this process as running in the home during the block, and log which others are.

    Tidying up the home does not wait for them: see `tidying`.
    """
    with ExitStack() as work:
        with holding(warehouse, "home", TIDYING):
            _clear_abandoned(warehouse)
            others = list_running(warehouse)
            work.enter_context(holding(warehouse, RUN, f"{os.getpid()}-{token_hex(4)}"))
        for other in others:
            _log.warning("home %s: %s is running too; both continue and share the machine", warehouse.parent, other)
        yield


@contextmanager
def tidying(warehouse: Path) -> Iterator[None]:
    """Keep runs from starting in the home during the block.

    Raises:
        HomeBusyError: A process is running in the home.
    """
    with holding(warehouse, "home", TIDYING):
        _clear_abandoned(warehouse)
        others = list_running(warehouse)
        if others:
            raise HomeBusyError(f"home {warehouse.parent}: {others[0]} is running; try again when it is done")
        yield


def _clear_abandoned(warehouse: Path) -> None:
    """Delete the lock files of processes that were killed."""
    for path in (warehouse.parent / FOLDER).glob("*.lock"):
        kind, _, identifier = path.stem.partition("-")
        with suppress(OSError), holding_if_free(warehouse, kind, identifier):  # another user's file may stay
            pass  # a lock that was free is deleted with the end of the block


def list_running(warehouse: Path) -> list[str]:
    """Other processes that are running in the home, each with its study once it has one."""
    found = []
    for path in sorted((warehouse.parent / FOLDER).glob(f"{RUN}-*.lock")):
        identifier = path.stem.removeprefix(f"{RUN}-")
        pid = int(identifier.partition("-")[0])
        with holding_if_free(warehouse, RUN, identifier) as is_left:
            if not is_left and pid != os.getpid():
                found.append(f"another process ({describe_process(pid)}){_describe_study(warehouse, pid)}")
    return found


def describe_holder(warehouse: Path, kind: str, identifier: str) -> str:
    """Who holds a lock, as in `another process (PID 4711, fintone run)`."""
    try:
        pid = int(_path_of(warehouse, kind, identifier).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "another process"
    return f"another process ({describe_process(pid)})" if pid != os.getpid() else "another thread of this process"


def _describe_study(warehouse: Path, pid: int) -> str:
    """The study that a process runs, if it has one."""
    for path in (warehouse.parent / FOLDER).glob("study-*.lock"):
        with suppress(OSError):
            if path.read_text(encoding="utf-8") == str(pid):
                return f", study {path.stem.removeprefix('study-')},"
    return ""


def _path_of(warehouse: Path, kind: str, identifier: str) -> Path:
    return warehouse.parent / FOLDER / f"{kind}-{file_name(identifier)}.lock"


def _take_or_explain(path: Path) -> int | None:
    try:
        return _take(path)
    except OSError as error:
        remedy = "free disk space" if error.errno in FULL else f"make it and its folder {FOLDER} writable for you"
        raise WarehouseUnwritableError(
            f"home {path.parent.parent}: cannot be written ({error.strerror}); {remedy}"
        ) from error


def _take(path: Path, *, needs_lock: bool = False) -> int | None:
    """The descriptor of the file, locked; None if another process or thread has it, or has just deleted it."""
    rights = S_IMODE(path.parent.parent.stat().st_mode)
    with suppress(FileExistsError):  # `exist_ok` would look again, when another process may have deleted it
        path.parent.mkdir()
        with suppress(OSError):
            path.parent.chmod(rights)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:  # the last holder of any lock has just deleted the folder
        return None
    with suppress(OSError):  # it is another user's, with these rights already
        os.fchmod(descriptor, rights & 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if needs_lock or isinstance(error, BlockingIOError):
            os.close(descriptor)
            return None
    try:
        is_current = os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        is_current = False
    except OSError:
        os.close(descriptor)
        raise
    if not is_current:
        os.close(descriptor)
        return None
    with suppress(OSError):  # on a full disk; the PID is for messages only
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _give_back(path: Path, descriptor: int) -> None:
    path.unlink(missing_ok=True)  # before the lock ends: nobody else may have taken this file meanwhile
    os.close(descriptor)
    with suppress(OSError):  # other locks are in it
        path.parent.rmdir()

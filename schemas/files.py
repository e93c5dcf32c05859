"""Files and folders that appear whole or not at all, also where two processes write one, or the disk is full."""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir

from schemas.errors import InputError

ENDING = ".unfinished"
LONGEST_NAME = 64
"""Characters of a file's name that the name of its unfinished version keeps; a file system allows about 255 in all."""
_READ = os.O_RDONLY | os.O_NONBLOCK
"""How a file is opened for its lock: someone's pipe of that name is not waited for."""
DESCRIPTORS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
"""Paths of what the process has open already."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class OutputError(InputError):
    """The output cannot be written there."""


class FolderTakenError(OutputError):
    """Something else is already there."""


@contextmanager
def appearing_file(path: Path, is_kept: Callable[[], bool] = lambda: False) -> Iterator[Path]:
    """Yield a temporary path next to `path`; once the block has written it, it replaces `path` in one step.

    Where the block raises, `path` stays as it was. A link stays a link: the file that it names is replaced. A pipe or
    other special file, such as /dev/null or a pipe behind /dev/stdout, is yielded itself.

    Args:
        path: The file.
        is_kept: Whether what was written replaces the file even if the block raises, except for an `OSError`.

    Raises:
        OutputError: It cannot be written, the disk is full, or it is a descriptor of a file, which cannot be replaced.
    """
    target = path.resolve()
    if str(path).startswith(DESCRIPTORS) and path.is_file():
        raise OutputError(
            f"output {path}: is a file that is open already, and others may write to it; leave --output out, or give "
            "its own path"
        )
    try:
        if path.exists() and not path.is_file():  # a pipe behind /dev/stdout has no path to resolve
            if path.is_dir():
                raise OutputError(f"output {path}: is a folder; give a file")
            yield path
            return
        with _unfinished_beside(target, _make_file) as unfinished:
            if target.exists():
                shutil.copymode(target, unfinished)
            try:
                yield unfinished
            except OSError:
                raise
            except BaseException:
                if is_kept():
                    unfinished.replace(target)
                raise
            unfinished.replace(target)
    except OSError as error:
        named = str(error.filename or "")
        is_about_it = named == str(path) or named.startswith(str(target.parent))
        if not is_about_it and (named or error.errno not in FULL):  # without a name, the output's disk is full
            raise
        raise output_error(path, error) from error


@contextmanager
def appearing_folder(folder: Path, *, replace: bool) -> Iterator[Path]:
    """Yield a temporary path next to `folder`; it becomes `folder` after the block, or is deleted if the block raises.

    Unfinished versions of the same folder that killed processes left are deleted first.

    Args:
        folder: Where it is to appear.
        replace: Replace what is there; otherwise there must be nothing, or an empty folder.

    Raises:
        FolderTakenError: Something is there that may not be replaced.
    """
    with _unfinished_beside(folder, _make_folder) as unfinished:
        yield unfinished
        _open_to_others(unfinished)
        _move_in(unfinished, folder, replace=replace)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield an empty folder for the owner only, where the system keeps temporary files; it is deleted after the block.

    Those that killed processes left are deleted first.
    """
    with _unfinished_beside(Path(gettempdir()) / "fintone", partial(Path.mkdir, mode=0o700)) as folder:
        yield folder


@contextmanager
def appearing_files(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; after the block, each of its files is moved to its place in `folder` in one step.

    Other files of `folder` stay. Files at the top are moved after those in subfolders, in the order of their writing.

    Raises:
        OutputError: They cannot be written, or the disk is full; then `folder` is as it was.
    """
    try:
        with _unfinished_beside(folder / "files", _make_folder) as unfinished:
            yield unfinished
            files = [path for path in unfinished.rglob("*") if path.is_file()]
            for file in sorted(files, key=lambda file: (file.parent == unfinished, file.stat().st_mtime_ns)):
                place = folder / file.relative_to(unfinished)
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)
    except OSError as error:
        raise output_error(folder, error) from error


def output_error(path: Path, error: OSError) -> OutputError:
    """The error for an output that the system refuses."""
    remedy = "free disk space" if error.errno in FULL else "give a place that can be written"
    if error.errno == errno.ENOENT and not path.resolve().parent.exists():
        return OutputError(
            f"output {path}: the folder {path.parent} does not exist; give another place, or make the folder"
        )
    kept = ", and keeps what it had" if os.path.lexists(path) else ""
    return OutputError(f"output {path}: cannot be written ({error.strerror}){kept}; {remedy}")


def _move_in(unfinished: Path, folder: Path, *, replace: bool) -> None:
    if replace and folder.exists():
        replaced = _name_beside(folder)
        with suppress(FileNotFoundError):
            folder.rename(replaced)
        shutil.rmtree(replaced, ignore_errors=True)
    try:
        unfinished.rename(folder)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            raise
        raise FolderTakenError(f"output {folder}: is there already; give a new folder") from error


def _open_to_others(folder: Path) -> None:
    """Give each file the permissions that a new file has here; safetensors are written for the owner only."""
    probe = folder / ".permissions"
    probe.touch()
    mode = probe.stat().st_mode
    probe.unlink()
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(mode)


def _name_beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:LONGEST_NAME]}.{token_hex(8)}{ENDING}")


def _make_file(path: Path) -> None:
    path.touch(exist_ok=False)


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True)


@contextmanager
def _unfinished_beside(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """Yield a new file or folder next to `path`, locked until this process ends; delete it if it is still there."""
    _clear_abandoned(path)
    unfinished, descriptor = _make_beside(path, make)
    try:
        yield unfinished
    finally:
        os.close(descriptor)
        _delete(unfinished)


def _make_beside(path: Path, make: Callable[[Path], None]) -> tuple[Path, int]:
    """A new file or folder and its descriptor, locked before another process deleted it as abandoned."""
    while True:
        unfinished = _name_beside(path)
        make(unfinished)
        with suppress(FileNotFoundError):
            descriptor = os.open(unfinished, _READ)
            if _try_lock(descriptor) is not False and unfinished.exists():
                return unfinished, descriptor
            os.close(descriptor)


def _clear_abandoned(path: Path) -> None:
    """Delete what killed processes left unfinished beside `path`: nobody has the lock on it."""
    prefix = f".{path.name[:LONGEST_NAME]}."
    for leftover in path.parent.glob(f".*{ENDING}"):
        if leftover.name.startswith(prefix):
            with suppress(OSError):
                descriptor = os.open(leftover, _READ)
                try:
                    if _try_lock(descriptor):
                        _delete(leftover)
                finally:
                    os.close(descriptor)


def is_abandoned(path: Path) -> bool:
    """Whether a killed process left a file or folder unfinished: nobody holds the lock on it."""
    if not (path.name.startswith(".") and path.name.endswith(ENDING)):
        return False
    descriptor = os.open(path, _READ)
    try:
        return bool(_try_lock(descriptor))
    finally:
        os.close(descriptor)


def delete_folder(folder: Path) -> OSError | None:
    """Delete a folder, and return why something of it stays; None if all went, or had gone before."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
    return None


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _try_lock(descriptor: int) -> bool | None:
    """Whether nobody else had the lock; None where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True

"""An output appears whole or not at all: on a full disk, with two writers, behind links, and if a writer is killed."""

import errno
import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from schemas import files
from schemas.files import (
    FolderTakenError,
    OutputError,
    appearing_file,
    appearing_files,
    appearing_folder,
    temporary_folder,
)

ROOT = Path(files.__file__).parents[1]
KILLED = """
import os, signal, sys
from pathlib import Path
from schemas.files import appearing_file, appearing_folder
path = Path(sys.argv[1])
with appearing_folder(path, replace=True) if sys.argv[2] == "folder" else appearing_file(path) as unfinished:
    (unfinished / "weights" if unfinished.is_dir() else unfinished).write_text("half")
    print("begun", flush=True)
    input()
"""


def fill(output: AbstractContextManager[Path], text: str) -> None:
    with output as unfinished:
        (unfinished / "text" if unfinished.is_dir() else unfinished).write_text(text)


def fail_midway(output: AbstractContextManager[Path]) -> None:
    with output as unfinished:
        (unfinished / "text" if unfinished.is_dir() else unfinished).write_text("half")
        raise KeyError("midway")


def limit_files(most_bytes: int) -> None:
    """In a child process: no file may be larger, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


@pytest.mark.parametrize("before", [None, "old"])
def test_a_file_that_fails_midway_leaves_what_was_there(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "answers.csv"
    if before is not None:
        path.write_text(before)
    with pytest.raises(KeyError):
        fail_midway(appearing_file(path))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == (
        [("answers.csv", "old")] if before else []
    )


def test_a_full_disk_leaves_the_old_file_and_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("old")
    script = (
        "import sys; from pathlib import Path; from schemas.files import appearing_file, OutputError\n"
        "try:\n    with appearing_file(Path(sys.argv[1])) as unfinished: unfinished.write_text('x' * 10_000)\n"
        "except OutputError as error: print(error)"
    )
    command = [sys.executable, "-c", script, path]
    done = subprocess.run(
        command, cwd=ROOT, preexec_fn=lambda: limit_files(5_000), capture_output=True, text=True, check=True
    )
    reason = "cannot be written (File too large), and keeps what it had; free disk space"
    assert done.stdout == f"output {path}: {reason}\n"
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("answers.csv", "old")]


def test_another_full_disk_is_not_that_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="/elsewhere/lock"), appearing_file(tmp_path / "answers.csv"):
        raise OSError(errno.ENOSPC, "No space left on device", "/elsewhere/lock")


def test_a_new_file_has_the_modes_of_any_new_file_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    fill(appearing_file(tmp_path / "new"), "new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "new").chmod(0o640)
    fill(appearing_file(tmp_path / "new"), "newer")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_link_stays_a_link_and_a_hard_link_keeps_the_old_content(tmp_path: Path) -> None:
    target, link, twin = tmp_path / "target", tmp_path / "link", tmp_path / "twin"
    target.write_text("old")
    link.symlink_to("target")
    os.link(target, twin)
    fill(appearing_file(link), "new")
    assert (link.is_symlink(), target.read_text(), twin.read_text()) == (True, "new", "old")


def test_a_device_or_pipe_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    fill(appearing_file(Path("/dev/null")), "x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    fill(appearing_file(pipe), "through")
    reader.join()
    assert (got, list(tmp_path.iterdir())) == (["through"], [pipe])


@pytest.mark.parametrize("name", ["nowhere/answers.csv", "folder", "file/answers.csv", "n" * 300])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=f"^output {tmp_path / name}: .*; (give|free) "):
        fill(appearing_file(tmp_path / name), "x")


def test_a_name_of_255_characters_can_be_written(tmp_path: Path) -> None:
    fill(appearing_file(tmp_path / ("n" * 255)), "x")
    assert [len(each.name) for each in tmp_path.iterdir()] == [255]


KILLED_IN_A_TEMPORARY_FOLDER = """
import os, signal
from schemas.files import temporary_folder
with temporary_folder() as folder:
    (folder / "weights").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_temporary_folders_are_for_the_owner_and_leave_nothing_even_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    subprocess.run(
        [sys.executable, "-c", KILLED_IN_A_TEMPORARY_FOLDER], cwd=ROOT, env={"TMPDIR": str(tmp_path)}, check=False
    )
    [left] = tmp_path.iterdir()
    with temporary_folder() as first, temporary_folder() as second:
        assert not left.exists()
        assert {first, second} == set(tmp_path.iterdir())
        assert stat.S_IMODE(first.stat().st_mode) == 0o700
    assert list(tmp_path.iterdir()) == []


def test_where_the_file_system_has_no_locks_no_folder_counts_as_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(fcntl, "flock", refuse)
    with temporary_folder() as first, temporary_folder() as second:
        assert {first, second} == set(tmp_path.iterdir())


def test_a_pipe_in_the_place_for_temporary_files_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    os.mkfifo(tmp_path / ".fintone.x.unfinished")
    signal.alarm(20)
    with temporary_folder() as folder:
        assert folder.is_dir()
    signal.alarm(0)


def test_an_unfinished_folder_that_another_process_takes_for_abandoned_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process looks between the making of the folder and its lock, or has the lock at that moment."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    flock, calls = fcntl.flock, 0

    def lock(descriptor: int, operation: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise BlockingIOError
        if calls == 2:
            [made] = [folder for folder in tmp_path.iterdir() if folder.stat().st_ino == os.fstat(descriptor).st_ino]
            made.rmdir()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock)
    with temporary_folder() as folder:
        assert folder.is_dir()
    assert calls == 3


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_is_cleared_and_what_a_living_one_fills_is_not(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "place"
    open_output: Callable[[], AbstractContextManager[Path]] = (
        (lambda: appearing_file(path)) if kind == "file" else (lambda: appearing_folder(path, replace=True))
    )
    command = [sys.executable, "-c", KILLED, path, kind]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        fill(open_output(), "mine")
        assert len(list(tmp_path.iterdir())) == 2
        process.kill()
    fill(open_output(), "mine again")
    assert [each.name for each in tmp_path.iterdir()] == ["place"]


def test_of_two_that_fill_one_new_folder_the_first_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "model"

    def fill_slowly() -> None:
        with appearing_folder(folder, replace=False) as unfinished:
            (unfinished / "text").write_text("slow")
            fill(appearing_folder(folder, replace=False), "fast")

    for begin in (fill_slowly, lambda: fill(appearing_folder(folder, replace=False), "third")):
        with pytest.raises(FolderTakenError, match=f"^output {folder}: is there already; give a new folder$"):
            begin()
    assert ((folder / "text").read_text(), list(tmp_path.iterdir())) == ("fast", [folder])


def test_a_folder_that_is_replaced_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    fill(appearing_folder(folder, replace=True), "old")
    with pytest.raises(KeyError):
        fail_midway(appearing_folder(folder, replace=True))
    assert (folder / "text").read_text() == "old"
    fill(appearing_folder(folder, replace=True), "new")
    assert ((folder / "text").read_text(), list(tmp_path.iterdir())) == ("new", [folder])


def test_files_appear_in_a_folder_that_keeps_its_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(KeyError):
        fail_midway(appearing_files(tmp_path))
    with appearing_files(tmp_path) as unfinished:
        (unfinished / "charts").mkdir()
        (unfinished / "charts" / "one.svg").write_text("svg")
        (unfinished / "index.html").write_text("page")
    found = sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file())
    assert found == ["charts/one.svg", "index.html", "notes.txt"]
    with pytest.raises(OutputError, match=f"^output {tmp_path / 'notes.txt'}: cannot be written "):
        fill(appearing_files(tmp_path / "notes.txt"), "x")


def test_an_output_in_a_folder_that_does_not_exist_names_the_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="missing does not exist; give another place, or make the folder"),
        appearing_file(tmp_path / "missing" / "answers.csv"),
    ):
        pass

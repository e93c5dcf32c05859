"""Locks between processes: one holder at a time, whom a waiting process names; they end with it and leave no file."""

import errno
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage import locks
from storage.cell_progress import start_cell
from storage.interruptions import mark_interrupted
from storage.locks import holding, holding_if_free, registered_run, tidying
from storage.query import query
from storage.studies import start_study
from storage.unfit import WarehouseUnwritableError

ROOT = Path(locks.__file__).parents[1]
HOLDER = """
import sys
from pathlib import Path
from storage.locks import holding
with holding(Path(sys.argv[1]), sys.argv[2], sys.argv[3]):
    print("held", flush=True)
    input()
"""
COUNTER = """
import sys
from pathlib import Path
from storage.locks import holding
for _ in range(100):
    with holding(Path(sys.argv[1]), "cell", "c"):
        path = Path(sys.argv[1]).with_name("count")
        path.write_text(str(int(path.read_text()) + 1))
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def hold(warehouse: Path, kind: str, name: str) -> subprocess.Popen[str]:
    process = start(HOLDER, warehouse, kind, name)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_processes_and_threads_take_turns_and_leave_nothing(tmp_path, monkeypatch):
    warehouse, count = tmp_path / "warehouse.duckdb", tmp_path / "count"
    monkeypatch.setattr(locks, "INTERVAL", 0.001)
    count.write_text("0")
    script = COUNTER.replace("import sys", "import sys, storage.locks; storage.locks.INTERVAL = 0.001", 1)

    def add() -> None:
        for _ in range(50):
            with holding(warehouse, "cell", "c"):
                count.write_text(str(int(count.read_text()) + 1))

    processes, threads = [start(script, warehouse) for _ in range(2)], [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.communicate() and process.returncode for process in processes] == [0, 0]
    assert count.read_text() == "300"
    assert list(tmp_path.iterdir()) == [count]


def test_a_waiting_process_names_the_holder_and_is_next_when_the_holder_dies(tmp_path, monkeypatch):
    warehouse, lines = tmp_path / "warehouse.duckdb", []
    monkeypatch.setattr(locks._log, "warning", lambda text, *values: lines.append(text % values))
    with hold(warehouse, "study", "s") as process:
        killer = threading.Timer(1.5, process.kill)
        killer.start()
        with holding_if_free(warehouse, "study", "s") as is_free:
            assert not is_free
        with holding_if_free(warehouse, "study", "other") as is_free:
            assert is_free
        with holding(warehouse, "study", "s"):
            killer.join()
    assert re.fullmatch(
        rf"study s: another process \(PID {process.pid}, python[\d.]*\) is working on it; waiting until it is done",
        lines[0],
    )


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from storage.locks import holding, holding_if_free
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
warehouse = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
with holding(warehouse, "cell", "c"), holding_if_free(warehouse, "cell", "c") as is_free:
    print("held", is_free)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
with holding_if_free(warehouse, "cell", "c") as is_free:
    print("free again", is_free)
"""


def test_a_lock_is_held_and_given_back_where_no_byte_can_be_written(tmp_path: Path) -> None:
    with start(FULL_DISK, tmp_path / "warehouse.duckdb") as process:
        output, _ = process.communicate()
    assert output == "held False\nfree again True\n"


def test_lock_files_of_killed_processes_go_with_the_next_run_and_held_ones_stay(tmp_path: Path) -> None:
    warehouse, folder = tmp_path / "warehouse.duckdb", tmp_path / "locks"
    folder.mkdir()
    for name in ("scoring-2b2eec4cd8b0", "study-a-b", "run-999999-beef"):
        (folder / f"{name}.lock").write_text("999999")
    with holding(warehouse, "cell", "mine"), registered_run(warehouse):
        names = sorted(path.name.partition("-")[0] for path in folder.iterdir())
        assert names == ["cell", "run"]
    assert not folder.exists()
    folder.mkdir()
    (folder / "scoring-2b2eec4cd8b0.lock").write_text("999999")
    with tidying(warehouse):
        assert [path.name for path in folder.iterdir()] == ["home-tidying.lock"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_study_and_a_cell_whose_processes_ended_are_interrupted(finished, number):
    start_study(finished, "study", {})
    start_cell(finished, "tuned")
    with hold(finished, "study", "study") as study, hold(finished, "cell", "tuned") as cell:
        mark_interrupted(finished)
        states = "SELECT s.status, c.status FROM studies AS s, cells AS c WHERE cell_id = 'tuned'"
        assert query(finished, states).rows == [("running", "running")]
        for process in (study, cell):
            process.send_signal(number)
            process.wait()
    mark_interrupted(finished)
    assert query(finished, states).rows == [("interrupted", "interrupted")]
    [(reason,)] = query(finished, "SELECT reason FROM cells WHERE cell_id = 'tuned'").rows
    assert reason == "interrupted: its process ended before it did"
    mark_interrupted(finished)
    assert query(finished, states).rows == [("interrupted", "interrupted")]


def test_where_there_are_no_locks_nothing_counts_as_interrupted(finished, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    start_study(finished, "study", {})
    with holding(finished, "study", "study"):
        pass
    mark_interrupted(finished)
    assert query(finished, "SELECT status FROM studies").rows == [("running",)]


def test_on_a_full_disk_the_error_names_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("storage.locks.os.open", fail)
    with (
        pytest.raises(
            WarehouseUnwritableError, match=rf"home {tmp_path}: cannot be written \(No space left on device\)"
        ),
        holding(tmp_path / "warehouse.duckdb", "cell", "a"),
    ):
        pass

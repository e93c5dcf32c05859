"""Several processes that use one warehouse at once."""

import logging
import re
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from storage import warehouse as warehouse_module
from storage.holders import describe_process
from storage.opening import WarehouseLockedError, waiting_without_end
from storage.query import query
from storage.warehouse import prepare_warehouse, reading, writing

SLACK = 2.0
"""Seconds that a busy machine may be late."""
WAIT = "print(flush=True); input()"
READ_HOLDER = """
from storage.warehouse import reading
with reading(path) as connection:
    print("held", flush=True)
    input()
"""
HOLDER = """
with writing(path) as connection:
    connection.execute("UPDATE published_results SET accuracy = 0.5 WHERE epochs = 13")
    print("held", flush=True)
    input()
"""
READER = """
print("trying", flush=True)
print(query(path, "SELECT accuracy FROM published_results WHERE epochs = 13").rows[0][0])
"""
WRITER = """
print("trying", flush=True)
with writing(path) as connection:
    connection.execute("UPDATE published_results SET macro_f1 = 0.25 WHERE epochs = 13")
"""
POLLER = """
import threading
over = threading.Event()
threading.Thread(target=lambda: (input(), over.set()), daemon=True).start()
print("trying", flush=True)
while not over.is_set():
    query(path, "SELECT sum(sqrt(i)) FROM range(2_000_000) AS numbers(i)")
"""
SPILLER = """
from storage import opening
from storage.warehouse import reading
opening._CONFINE = f"SET memory_limit = '80MB'; {opening._CONFINE}"
with reading(path) as connection:
    connection.execute("SELECT count(*) FROM (SELECT DISTINCT hash(i), i::VARCHAR FROM range(4_000_000) AS numbers(i))")
print("held" if Path(f"{path}.tmp").exists() else "no spills")
"""
IMPORTS = """
import sys
from pathlib import Path
from storage.query import query
from storage.warehouse import writing
path = Path(sys.argv[1])
"""


def _start(script: str, warehouse: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", IMPORTS + script, warehouse],
        cwd=Path(warehouse_module.__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() in {"held\n", "trying\n"}
    return process


class Waiting(threading.Thread):
    """A thread that opens a warehouse and closes it."""

    def __init__(self, use, warehouse, *, without_end=False):
        super().__init__(daemon=True)
        self.use, self.warehouse, self.without_end, self.is_through = use, warehouse, without_end, False

    def run(self):
        self.began = time.monotonic()
        with waiting_without_end() if self.without_end else nullcontext(), self.use(self.warehouse):
            self.is_through = True


def test_readers_and_writers_wait_for_a_writer(warehouse):
    with _start(HOLDER, warehouse) as holder, _start(READER, warehouse) as reader, _start(WRITER, warehouse) as writer:
        for waiting in (reader, writer):
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(timeout=0.2)
        holder.communicate("go on\n")
        output, _ = reader.communicate()
        writer.communicate()
    assert [holder.returncode, reader.returncode, writer.returncode] == [0, 0, 0]
    assert output == "0.5\n"
    row = query(warehouse, "SELECT accuracy, macro_f1 FROM published_results WHERE epochs = 13").rows
    assert row == [(0.5, 0.25)]


def test_an_up_to_date_warehouse_is_prepared_while_others_read_it(warehouse, monkeypatch):
    monkeypatch.setattr(warehouse_module, "WRITE_PATIENCE", 0.0)
    with _start(READ_HOLDER, warehouse) as holder:
        prepare_warehouse(warehouse)
        with pytest.raises(WarehouseLockedError), writing(warehouse):
            pass
        holder.communicate("go on\n")


@pytest.mark.slow
def test_readers_that_poll_without_a_pause_do_not_starve_a_writer(warehouse, monkeypatch):
    monkeypatch.setattr(warehouse_module, "WRITE_PATIENCE", 30)
    with ExitStack() as stack:
        pollers = [stack.enter_context(_start(POLLER, warehouse)) for _ in range(4)]
        for accuracy in (0.1, 0.2, 0.3):
            with writing(warehouse) as connection:
                connection.execute("UPDATE published_results SET accuracy = ? WHERE epochs = 13", [accuracy])
        for poller in pollers:
            poller.communicate("end\n")
    assert [poller.returncode for poller in pollers] == [0, 0, 0, 0]
    assert query(warehouse, "SELECT accuracy FROM published_results WHERE epochs = 13").rows == [(0.3,)]


def test_the_process_that_holds_it_is_named(warehouse, monkeypatch):
    monkeypatch.setattr(warehouse_module, "QUERY_PATIENCE", 0.1)
    with _start(HOLDER, warehouse) as holder:
        with pytest.raises(WarehouseLockedError, match=f"PID {holder.pid}"):
            query(warehouse, "SELECT 1")
        holder.communicate("go on\n")


def test_waiting_in_the_same_process_does_not_release_the_lock(warehouse, monkeypatch):
    """POSIX drops all locks that a process has on a file when any of its descriptors is closed."""
    monkeypatch.setattr(warehouse_module, "QUERY_PATIENCE", 0.1)
    with writing(warehouse):
        with pytest.raises(WarehouseLockedError, match="this process still has it open"):
            query(warehouse, "SELECT 1")
        with _start(READER, warehouse) as reader:
            with pytest.raises(subprocess.TimeoutExpired):
                reader.wait(timeout=0.5)
            reader.kill()


def test_a_writer_that_dies_leaves_the_warehouse_as_it_was(warehouse):
    with _start(HOLDER, warehouse) as holder:
        holder.kill()
    assert query(warehouse, "SELECT accuracy FROM published_results WHERE epochs = 13").rows == [(0.867,)]


def test_what_exceeded_memory_is_deleted_when_the_process_ends(warehouse):
    process = _start(SPILLER, warehouse)
    process.communicate()
    assert process.returncode == 0
    assert not Path(f"{warehouse}.tmp").exists()


def test_a_query_needs_no_heavy_library():
    script = "import sys, storage.home, storage.query; print({'pandas', 'torch', 'prefect'} & set(sys.modules))"
    folder = Path(warehouse_module.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
"""
FILLER = """
try:
    with writing(path) as connection:
        connection.execute("UPDATE published_results SET accuracy = 0.5")
        values = "sha256(i::VARCHAR), sha256(i::VARCHAR), 'neutral', 'x', NULL, NULL"
        columns = "headline_id, text, label, first_ingest_id, text_id, masked_id"
        connection.execute(f"INSERT INTO headlines ({columns}) SELECT {values} FROM range(50000) AS numbers(i)")
except WarehouseUnwritableError as error:
    print(error)
"""
MAKER = """
try:
    prepare_warehouse(path)
except WarehouseUnwritableError as error:
    print(error)
"""


def _run_on_full_disk(script: str, warehouse: Path, most_bytes: int) -> str:
    """Run a script that may write no file of more than `most_bytes`, as on a full disk; return what it prints."""
    imports = (
        IMPORTS
        + "from storage.unfit import WarehouseUnwritableError\nfrom storage.warehouse import prepare_warehouse\n"
    )
    command = [sys.executable, "-c", imports + FULL_DISK + script, warehouse, str(most_bytes)]
    root = Path(warehouse_module.__file__).parents[1]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("room_left", [0, 500_000, 3_000_000])
def test_a_full_disk_is_reported_and_leaves_what_was_there(warehouse, room_left):
    before = query(warehouse, "FROM published_results ORDER BY ALL")
    message = _run_on_full_disk(FILLER, warehouse, warehouse.stat().st_size + room_left)
    assert message == (
        f"warehouse {warehouse}: cannot be written (File too large), and keeps what it had before; free disk space, "
        "try again\n"
    )
    assert query(warehouse, "FROM published_results ORDER BY ALL") == before
    assert query(warehouse, "SELECT count(*) FROM headlines").rows == [(0,)]


def test_no_torn_warehouse_is_left_where_the_disk_is_full_from_the_start(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    assert "cannot be written (File too large)" in _run_on_full_disk(MAKER, path, 4_096)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def log_lines():
    """The lines that are logged while the test runs."""
    lines, logger = [], logging.getLogger("fintone.warehouse")
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.mark.parametrize(("hold", "use"), [(HOLDER, writing), (HOLDER, reading), (READ_HOLDER, writing)])
def test_a_wait_is_logged_within_a_second_with_the_holder_and_the_limit(warehouse, hold, use, log_lines):
    with _start(hold, warehouse) as holder:
        waiting = Waiting(use, warehouse)
        waiting.start()
        deadline = time.monotonic() + 5
        while not log_lines and time.monotonic() < deadline:
            time.sleep(0.01)
        [line] = log_lines
        assert time.monotonic() - waiting.began < 1 + SLACK
        assert f"warehouse {warehouse}: another process (PID {holder.pid}, python" in line
        limit = warehouse_module.WRITE_PATIENCE if use is writing else warehouse_module.READ_PATIENCE
        assert int(re.findall(r"waiting up to (\d+) s more, Ctrl-C ends it$", line)[0]) >= limit - 5
        holder.communicate("go on\n")
        waiting.join()
    assert waiting.is_through


def test_a_short_wait_is_not_logged(warehouse, log_lines):
    with _start(HOLDER, warehouse) as holder:
        waiting = Waiting(writing, warehouse)
        waiting.start()
        holder.communicate("go on\n")
        waiting.join()
    assert waiting.is_through
    assert log_lines == [] or time.monotonic() - waiting.began > 0.5


def test_a_wait_without_end_outlasts_every_patience(warehouse, monkeypatch, log_lines):
    monkeypatch.setattr(warehouse_module, "WRITE_PATIENCE", 0.1)
    monkeypatch.setattr(warehouse_module, "READ_PATIENCE", 0.1)
    with _start(HOLDER, warehouse) as holder:
        waiting = [Waiting(use, warehouse, without_end=True) for use in (writing, reading)]
        for each in waiting:
            each.start()
        with pytest.raises(WarehouseLockedError, match="this process still has it open"), reading(warehouse):
            pass
        time.sleep(1)
        assert not any(each.is_through for each in waiting)
        holder.communicate("go on\n")
        for each in waiting:
            each.join()
    assert all(each.is_through for each in waiting)
    assert "waiting until it is free, Ctrl-C ends it" in log_lines[0]


@pytest.mark.parametrize(
    ("command", "description"),
    [
        (["-c", WAIT], r"python[\d.]*"),
        (["waiter.py"], r"waiter\.py"),
        (["-W", "ignore", "waiter.py", "--password=secret"], r"waiter\.py"),
        (["-m", "waiter"], "waiter"),
        (["fintone", "run", "--data", "secret"], "fintone run"),
    ],
)
def test_a_process_is_described_by_its_program_without_arguments(tmp_path, command, description):
    for name in ("waiter.py", "fintone"):
        (tmp_path / name).write_text(WAIT)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, *command], cwd=tmp_path, stdin=pipe, stdout=pipe) as process:
        process.stdout.readline()  # it has begun
        described = describe_process(process.pid)
        process.communicate(b"\n")
    assert re.fullmatch(f"PID {process.pid}, ({description})", described)
    assert describe_process(process.pid) == f"PID {process.pid}"

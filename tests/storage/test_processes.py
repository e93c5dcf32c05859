"""Several processes at one warehouse."""

import subprocess
import sys
from pathlib import Path

import pytest

from storage import warehouse as room
from storage.query import query
from storage.warehouse import WarehouseLockedError

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
        cwd=Path(room.__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() in {"held\n", "trying\n"}
    return process


def test_readers_and_writers_wait_for_a_writer(warehouse):
    with _start(HOLDER, warehouse) as holder, _start(READER, warehouse) as reader, _start(WRITER, warehouse) as writer:
        for waiting in (reader, writer):
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(timeout=0.5)
        holder.communicate("go on\n")
        output, _ = reader.communicate()
        writer.communicate()
    assert [holder.returncode, reader.returncode, writer.returncode] == [0, 0, 0]
    assert output == "0.5\n"
    row = query(warehouse, "SELECT accuracy, macro_f1 FROM published_results WHERE epochs = 13").rows
    assert row == [(0.5, 0.25)]


def test_the_process_that_holds_it_is_named(warehouse, monkeypatch):
    monkeypatch.setattr(room, "READ_PATIENCE", 0.1)
    with _start(HOLDER, warehouse) as holder:
        with pytest.raises(WarehouseLockedError, match=f"PID {holder.pid}"):
            query(warehouse, "SELECT 1")
        holder.communicate("go on\n")


def test_a_writer_that_dies_leaves_the_warehouse_as_it_was(warehouse):
    with _start(HOLDER, warehouse) as holder:
        holder.kill()
    assert query(warehouse, "SELECT accuracy FROM published_results WHERE epochs = 13").rows == [(0.867,)]


def test_a_query_needs_no_heavy_library():
    script = "import sys, storage.home, storage.query; print({'pandas', 'torch', 'prefect'} & set(sys.modules))"
    folder = Path(room.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

"""Home, disk and warehouse as `fintone doctor` checks them, which changes nothing."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from storage import checkup
from storage import warehouse as warehouse_module
from storage.checkup import check_disk, check_home, check_warehouse, judge_disk
from storage.opening import WarehouseLockedError
from storage.unfit import NotAWarehouseError, WarehouseTooNewError
from storage.warehouse import inspect_warehouse

ROOT = Path(warehouse_module.__file__).parents[1]
HOLDER = """
import sys
from pathlib import Path
from storage.warehouse import {way}
with {way}(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""
STRANGER = """
import os, sys
from pathlib import Path
from storage.checkup import check_home
from storage.unfit import WarehouseUnwritableError
from storage.warehouse import inspect_warehouse
if os.geteuid() == 0:
    os.setuid(65534)
print(check_home())
try:
    inspect_warehouse(Path(os.environ["FINTONE_HOME"]) / "warehouse.duckdb", 0)
except WarehouseUnwritableError as error:
    print(error)
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(params=["reading", "writing"])
def holder(request: pytest.FixtureRequest, warehouse: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the warehouse open."""
    command = [sys.executable, "-c", HOLDER.format(way=request.param), str(warehouse)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.communicate("go on\n")


def test_an_up_to_date_warehouse_is_ok_and_stays_as_it_is(warehouse: Path) -> None:
    before = warehouse.read_bytes(), warehouse.stat().st_mtime_ns
    found = check_warehouse()
    assert (found.state, found.remedy) == ("ok", "")
    assert found.message.endswith("; nobody holds it")
    assert (warehouse.read_bytes(), warehouse.stat().st_mtime_ns) == before
    assert [file.name for file in warehouse.parent.iterdir()] == ["warehouse.duckdb"]


def test_no_warehouse_is_a_note(home: Path) -> None:
    found = check_warehouse()
    assert (found.state, found.message) == ("note", "does not exist yet")
    assert list(home.iterdir()) == []


def test_a_warehouse_that_a_kill_left_half_made_counts_as_none(home: Path) -> None:
    (home / "warehouse.duckdb").touch()
    assert check_warehouse().message == "does not exist yet"
    assert (home / "warehouse.duckdb").exists()


def test_an_earlier_warehouse_is_a_note(warehouse: Path) -> None:
    newest = _set_newest(warehouse, "DELETE FROM fintone_migrations WHERE number > 3")
    found = check_warehouse()
    assert found.state == "note"
    assert f"migration 3 of {newest}" in found.message


def test_a_newer_warehouse_is_refused(warehouse: Path) -> None:
    _set_newest(warehouse, "INSERT INTO fintone_migrations VALUES (999, 'later', now())")
    with pytest.raises(WarehouseTooNewError, match=r"migration 999, this one knows \d+\); upgrade fintone"):
        check_warehouse()


def _set_newest(warehouse: Path, statement: str) -> int:
    """Change the record of migrations, and return the newest migration that this version knows."""
    newest = inspect_warehouse(warehouse, 0)[1]
    with duckdb.connect(warehouse) as connection:
        connection.execute(statement)
    return newest


def test_a_foreign_file_is_refused_and_stays_as_it_is(home: Path) -> None:
    content = b"a,b\n1,2\n"
    (home / "warehouse.duckdb").write_bytes(content)
    with pytest.raises(NotAWarehouseError, match="no warehouse of fintone"):
        check_warehouse()
    assert (home / "warehouse.duckdb").read_bytes() == content


def test_the_process_that_holds_it_is_named(holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "PATIENCE", 0.1)
    with pytest.raises(WarehouseLockedError, match=rf"another process \(PID {holder.pid}, python[\d.]*\) holds it"):
        check_warehouse()


def test_a_home_that_is_not_there_yet_is_not_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINTONE_HOME", str(home / "a" / "b"))
    assert check_home().message == f"{home / 'a' / 'b'} can be written; a run makes it"
    assert check_disk().state in {"ok", "note"}
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_home_that_is_a_file_is_reported(home: Path, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    file = home / "file"
    file.write_text("x")
    monkeypatch.setenv("FINTONE_HOME", str(file / below))
    found = check_home()
    assert (found.state, found.message) == ("fail", f"FINTONE_HOME {file} is a file")
    assert check_warehouse().message == "does not exist yet"


def test_a_folder_of_the_home_that_is_a_file_is_reported(home: Path) -> None:
    (home / "adapters").write_text("x")
    assert check_home().message == f"FINTONE_HOME {home / 'adapters'} is a file"


def test_a_home_of_another_user_is_reported(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, readable_by_others: None
) -> None:
    with tempfile.TemporaryDirectory() as place:  # not under pytest's own folder, which no other user may enter
        home = Path(place)
        (home / warehouse.name).write_bytes(warehouse.read_bytes())
        (home / warehouse.name).chmod(0o444)
        home.chmod(0o555)
        monkeypatch.setenv("FINTONE_HOME", place)
        result = subprocess.run([sys.executable, "-c", STRANGER], cwd=ROOT, check=True, capture_output=True, text=True)
        home.chmod(0o755)
    message, refused = result.stdout.splitlines()
    assert f"FINTONE_HOME {home} cannot be written (Permission denied)" in message
    assert refused.endswith("may not be written (Permission denied); make it writable, or set FINTONE_HOME")


@pytest.mark.parametrize(
    ("free", "state", "message"),
    [
        (0.1, "fail", "0.1 of 100.0 GB free at FINTONE_HOME; the smallest run takes 0.2 GB"),
        (10, "note", "the desk profile's 7B model takes 14 GB"),
        (20, "ok", "20.0 of 100.0 GB free at FINTONE_HOME; the desk profile's 7B model takes 14 GB"),
    ],
)
def test_a_disk_is_compared_with_what_runs_take(free: float, state: str, message: str) -> None:
    found = judge_disk(int(free * 1e9), 100 * 10**9)
    assert found.state == state
    assert message in found.message
    assert bool(found.remedy) == (state != "ok")

"""A home of several users: what one of them left stops no other, or the error says whose it is."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations import deletion
from storage.home import Home

ROOT = Path(deletion.__file__).parents[1]
OWNER = """
import os, sys
from pathlib import Path
import duckdb
from storage.locks import holding

os.umask(0o022)
with holding(Path(sys.argv[1], "locked/warehouse.duckdb"), "study", "x"):
    connection = duckdb.connect(Path(sys.argv[1], "logged/warehouse.duckdb"))
    connection.execute("CREATE TABLE of_the_owner AS SELECT 1 AS x")
    os._exit(0)  # as if it was killed: the lock and DuckDB's log stay
"""
STRANGER = """
import json, os, sys
from pathlib import Path
from operations.deletion import carry_out, propose_deletion
from operations.garbage import collecting, delete_garbage
from operations.report_index import renew_index
from storage.home import Home
from storage.locks import holding
from storage.warehouse import reading, writing

def hold(home):
    with holding(home.warehouse, "study", "x"):
        pass

def write(home):
    with writing(home.warehouse) as connection:
        connection.execute("CREATE TABLE x AS SELECT 1 AS x")

def read(home):
    with reading(home.warehouse):
        pass

def delete(home):
    carry_out(propose_deletion("study"))

def collect(home):
    with collecting() as garbage:
        delete_garbage(garbage)

def enter(home):
    pass

os.environ["FINTONE_HOME"] = f"{sys.argv[1]}/warm"  # so that all imports happen before rights are given up
renew_index(Home.from_environment())
collect(None)
os.setuid(65534)
tried = {"locked": hold, "logged": write, "private": read, "closed": enter, "reported": renew_index, "full": delete,
         "left": collect}
said = {}
for name, function in tried.items():
    os.environ["FINTONE_HOME"] = f"{sys.argv[1]}/{name}"
    try:
        function(Home.from_environment())
        said[name] = ""
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


@pytest.fixture
def homes(finished: Path, readable_by_others: None) -> Iterator[Path]:
    """A folder of homes with a warehouse each, to which everybody may write."""
    with tempfile.TemporaryDirectory() as place:  # not in pytest's folder, which other users may not read
        for name in ("warm", "locked", "logged", "private", "closed", "reported", "full", "left"):
            home = Home(Path(place, name))
            home.create()
            shutil.copy(finished, home.warehouse)
            home.root.chmod(0o777)
            home.warehouse.chmod(0o666)
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can act for two users")
def test_what_another_user_left_is_taken_over_or_named(homes: Path) -> None:
    full, left, reported = (Home(homes / name) for name in ("full", "left", "reported"))
    (homes / "private" / "warehouse.duckdb").chmod(0o600)
    (homes / "closed").chmod(0o700)
    reported.report_index.touch()
    Home(homes / "warm").report_index.touch()
    for folder in (full.adapter("tuned"), left.adapter("gone"), left.adapter("gone as well")):
        folder.mkdir()
        (folder / "adapter_model.safetensors").touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", OWNER, homes], env=environment, check=True)
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, homes], env=environment, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert (said["locked"], said["reported"], said["full"]) == ("", "", "")
    assert f"output {reported.report_index}: cannot be written (Permission denied)" in done.stderr
    assert f"{full.adapter('tuned')} stays (Permission denied); have its owner run `fintone gc`" in done.stderr
    assert "Permission denied" in said["logged"]
    assert "warehouse.duckdb.wal belongs to another user: have its owner run a command" in said["logged"]
    assert said["private"].startswith("WarehouseUnreadableError: ")
    assert "cannot be read (Permission denied); ask its owner" in said["private"]
    assert said["closed"].startswith(f"HomeError: FINTONE_HOME {homes}/closed: you may not enter it; ask its owner")
    assert "cannot be deleted (Permission denied), 2 folders in all" in said["left"]

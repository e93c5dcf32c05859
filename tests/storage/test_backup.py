"""Before a migration changes a warehouse, its file is copied whole and once, and nobody can write to it meanwhile."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest

from storage import backup, migrations
from storage import warehouse as warehouse_module
from storage.query import query
from storage.warehouse import migrate_to_read, prepare_warehouse, reading

ROOT = Path(warehouse_module.__file__).parents[1]
LAST = 18
"""The newest migration of the older warehouse."""
NAME = f"older.before-migration-{LAST + 1:04}.duckdb"

PREPARE = """
import sys
from pathlib import Path
from storage.warehouse import prepare_warehouse
prepare_warehouse(Path(sys.argv[1]))
"""
KILLED = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("UPDATE published_results SET accuracy = 0.5 WHERE epochs = 13")
os.kill(os.getpid(), 9)
"""
FULL_DISK = """
import os, resource, signal, sys
from pathlib import Path
from storage.unfit import WarehouseUnwritableError
from storage.warehouse import prepare_warehouse
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
most = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    prepare_warehouse(Path(sys.argv[1]))
except WarehouseUnwritableError as error:
    print(error)
"""
STRANGER = """
import os, sys
from pathlib import Path
from storage import warehouse
from storage.unfit import WarehouseUnwritableError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    getattr(warehouse, sys.argv[2])(Path(sys.argv[1]))
except WarehouseUnwritableError as error:
    print(error)
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def list_warehouses(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir() if file.is_file() and file.suffix != ".sql")


@pytest.fixture
def older(make_older_warehouse) -> Path:
    return make_older_warehouse(LAST)


def test_the_copy_is_the_file_as_it_was_and_one_line_names_it(older, caplog):
    older.chmod(0o640)
    before = older.read_bytes()
    prepare_warehouse(older)
    copy = older.with_name(NAME)
    assert copy.read_bytes() == before
    assert copy.stat().st_mode & 0o777 == 0o640
    newest = max(migrations.known_migrations())
    line = f"warehouse {older}: migrated from {LAST} to {newest}; the file as it was: {copy}"
    assert caplog.messages == [line]
    prepare_warehouse(older)
    assert caplog.messages == [line]
    assert list_warehouses(older) == [NAME, older.name]


def test_a_new_warehouse_has_no_copy(tmp_path, caplog):
    prepare_warehouse(tmp_path / "warehouse.duckdb")
    assert [file.name for file in tmp_path.iterdir()] == ["warehouse.duckdb"]
    assert caplog.messages == []


def test_what_a_killed_process_left_in_its_log_is_in_the_copy(older):
    with start(KILLED, older) as process:
        process.communicate()
    assert older.with_name(f"{older.name}.wal").exists()
    prepare_warehouse(older)
    with duckdb.connect(older.with_name(NAME), read_only=True) as connection:
        found = "SELECT accuracy, (SELECT max(number) FROM fintone_migrations) FROM published_results WHERE epochs = 13"
        assert connection.execute(found).fetchall() == [(0.5, LAST)]
    assert list_warehouses(older) == [NAME, older.name]


def test_a_copy_that_is_there_is_kept(older):
    older.with_name(NAME).write_text("an earlier one")
    before = older.read_bytes()
    prepare_warehouse(older)
    assert older.with_name(NAME).read_text() == "an earlier one"
    assert older.with_name(NAME.replace(".duckdb", "-2.duckdb")).read_bytes() == before


def test_a_copy_that_is_put_back_is_migrated_again(older):
    prepare_warehouse(older)
    older.with_name(NAME).replace(older)
    prepare_warehouse(older)
    assert query(older, "SELECT count(*) FROM published_results").rows == [(22,)]
    assert list_warehouses(older) == [NAME, older.name]


def test_a_migration_that_fails_leaves_no_copy(older, monkeypatch, tmp_path, caplog):
    folder = tmp_path / "bad"
    folder.mkdir()
    for file in migrations.MIGRATIONS_FOLDER.glob("*.sql"):
        (folder / file.name).write_text(file.read_text())
    (folder / "0099_bad.sql").write_text("CREATE TABLE other (x INTEGER); CREATE TABLE other (x INTEGER);")
    monkeypatch.setattr(migrations, "MIGRATIONS_FOLDER", folder)
    with pytest.raises(duckdb.CatalogException):
        prepare_warehouse(older)
    assert list_warehouses(older) == [older.name]
    assert query(older, "SELECT max(number) FROM fintone_migrations").rows == [(LAST,)]
    assert caplog.messages == []


def test_a_full_disk_is_reported_in_one_line_and_the_file_stays(older):
    before = older.read_bytes()
    with start(FULL_DISK, older, len(before) - 1) as process:
        out, err = process.communicate()
    assert err == ""
    assert out == (
        f"warehouse {older}: not migrated, and stays as it was; output {older.with_name(NAME)}: cannot be written "
        "(File too large); free disk space\n"
    )
    assert older.read_bytes() == before
    assert list_warehouses(older) == [older.name]


@pytest.mark.slow
def test_processes_that_start_at_once_make_one_copy(older):
    before = older.read_bytes()
    processes = [start(PREPARE, older) for _ in range(3)]
    ends = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(err.count("the file as it was: ") for _, err in ends) == 1
    assert older.with_name(NAME).read_bytes() == before
    assert list_warehouses(older) == [NAME, older.name]


def test_nobody_else_opens_the_file_between_its_copy_and_the_migrations(older, monkeypatch):
    opened = []

    def keep_copy(*arguments):
        copy = backup.keep_copy(*arguments)
        with start("import duckdb, sys; duckdb.connect(sys.argv[1], read_only=True)", older) as process:
            opened.append(process.communicate()[1])
        return copy

    monkeypatch.setattr(warehouse_module, "keep_copy", keep_copy)
    prepare_warehouse(older)
    [refusal] = opened
    assert "Could not set lock on file" in refusal


def test_a_warehouse_that_is_only_read_is_not_migrated(older):
    before = older.read_bytes()
    with reading(older) as connection:
        connection.execute("FROM published_results")
    assert older.read_bytes() == before
    assert list_warehouses(older) == [older.name]


def test_a_reader_migrates_what_lacks_a_migration_and_nothing_else(older, monkeypatch):
    migrate_to_read(older)
    assert list_warehouses(older) == [NAME, older.name]
    monkeypatch.setattr(warehouse_module, "prepare_to_read", pytest.fail)
    migrate_to_read(older)


@pytest.mark.parametrize(("state", "call"), [("older", "prepare_to_read"), ("prepared", "prepare_warehouse")])
def test_a_home_that_may_not_be_written_is_neither_copied_nor_migrated(request, state, call, readable_by_others):
    found = request.getfixturevalue(state)
    with tempfile.TemporaryDirectory() as place:  # not under pytest's own folder, which no other user may enter
        home = Path(place)
        path = Path(shutil.copy(found, home))
        path.chmod(0o444)
        home.chmod(0o555)
        before = path.read_bytes()
        with start(STRANGER, path, call) as process:
            out, err = process.communicate()
        home.chmod(0o755)
        assert (out.count("\n"), err) == (1, "")
        told = {
            "older": f"an older fintone made it (migration {LAST} of {max(migrations.known_migrations())}) and it may"
            " not be written; make it writable for the next command, which brings it up to date",
            "prepared": "may not be written (Permission denied)",
        }
        assert f"warehouse {path}: {told[state]}" in out
        assert path.read_bytes() == before
        assert list(home.iterdir()) == [path]

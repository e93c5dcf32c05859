"""Opening, preparing and refusing a warehouse, within one process."""

import shutil
import sqlite3
import threading
from pathlib import Path

import duckdb
import pytest

from schemas.errors import InputError
from storage import migrations, opening
from storage import warehouse as warehouse_module
from storage.opening import READABLE_FROM, WarehouseLockedError
from storage.query import query
from storage.unfit import NotAWarehouseError, WarehouseMissingError, WarehouseTooNewError
from storage.warehouse import (
    prepare_warehouse,
    reading,
    reading_together,
    utc_now,
    writing,
)


@pytest.fixture(scope="module")
def new_warehouses() -> None:
    """Warehouses are made in this module, not copied."""


def _someone_elses(path: Path) -> None:
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE trades (price DOUBLE)")


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE trades (price REAL)")
    connection.close()


FOREIGN_FILES = {
    "text": lambda path: path.write_text("a spreadsheet, once\n" * 500),
    "sqlite": _sqlite,
    "someone else's": _someone_elses,
}


@pytest.mark.parametrize("kind", FOREIGN_FILES)
def test_a_file_that_is_no_warehouse_is_refused_and_left_as_it_is(tmp_path, kind):
    path = tmp_path / "warehouse.duckdb"
    FOREIGN_FILES[kind](path)
    before, files = path.read_bytes(), sorted(tmp_path.iterdir())
    for use in (prepare_warehouse, lambda path: reading(path).__enter__(), lambda path: writing(path).__enter__()):
        with pytest.raises(NotAWarehouseError, match=f"warehouse {path}: no warehouse of fintone") as raised:
            use(path)
        assert "\n" not in str(raised.value)
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == files


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 4_096, 8_192])
def test_what_a_killed_process_had_begun_to_make_is_no_warehouse_yet(tmp_path, size):
    path = tmp_path / "warehouse.duckdb"
    prepare_warehouse(path)
    path.write_bytes(path.read_bytes()[:size])
    for use in (reading, writing):
        with pytest.raises(WarehouseMissingError, match="does not exist; run `fintone run` first"), use(path):
            pass
    assert path.stat().st_size == size
    prepare_warehouse(path)
    assert query(path, "SELECT count(*) FROM published_results").rows == [(22,)]


def test_a_folder_is_no_warehouse(tmp_path):
    with pytest.raises(NotAWarehouseError, match="Is a directory"):
        prepare_warehouse(tmp_path)


def test_a_newer_warehouse_is_refused_and_left_as_it_is(warehouse):
    with writing(warehouse) as connection:
        connection.execute("INSERT INTO fintone_migrations VALUES (9999, '9999_from_the_future', ?)", [utc_now()])
    before = warehouse.read_bytes()
    for use in (prepare_warehouse, lambda path: query(path, "SELECT 1"), lambda path: writing(path).__enter__()):
        with pytest.raises(WarehouseTooNewError, match=r"migration 9999, this one knows \d+\); upgrade fintone"):
            use(warehouse)
    assert warehouse.read_bytes() == before


def test_a_missing_warehouse_is_not_created_by_use(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    for use in (reading, writing):
        with pytest.raises(WarehouseMissingError, match="run `fintone run` first"), use(path):
            pass
    assert list(tmp_path.iterdir()) == []


def test_preparing_twice_keeps_what_is_there(finished):
    before = query(finished, "FROM leaderboard ORDER BY ALL")
    prepare_warehouse(finished)
    assert query(finished, "FROM leaderboard ORDER BY ALL") == before
    assert query(finished, "SELECT count(*) FROM published_results").rows == [(22,)]


def test_an_error_in_a_transaction_undoes_it(warehouse):
    def fail_midway() -> None:
        with writing(warehouse) as connection:
            connection.execute("DELETE FROM published_results")
            raise KeyError("midway")

    with pytest.raises(KeyError):
        fail_midway()
    assert query(warehouse, "SELECT count(*) FROM published_results").rows == [(22,)]


def test_a_reader_cannot_write(warehouse):
    with pytest.raises(duckdb.InvalidInputException, match="read-only"), reading(warehouse) as connection:
        connection.execute("DELETE FROM published_results")


def test_everything_has_a_comment(warehouse):
    uncommented = """
        SELECT table_name FROM duckdb_tables() WHERE comment IS NULL
        UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL
        UNION ALL SELECT table_name || '.' || column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL
    """
    assert query(warehouse, uncommented).rows == []


def test_clients_with_an_older_duckdb_can_read_it(warehouse):
    """DuckDB 2 stores `if(...)` as a function that earlier versions do not have."""
    with reading(warehouse) as connection:
        tags = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'warehouse'"
        assert connection.execute(tags).fetchall() == [(f"{READABLE_FROM}+",)]
    unknown_to_them = r"""
        SELECT view_name FROM duckdb_views() WHERE NOT internal AND regexp_matches(lower(sql), '\bif"?\s*\(')
        UNION ALL SELECT function_name FROM duckdb_functions()
            WHERE NOT internal AND regexp_matches(lower(macro_definition), '\bif"?\s*\(')
    """
    assert query(warehouse, unknown_to_them).rows == []


def test_threads_take_turns(warehouse):
    def write() -> None:
        with writing(warehouse) as connection:
            connection.execute("UPDATE published_results SET accuracy = accuracy + 1 WHERE epochs = 13")

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [(accuracy,)] = query(warehouse, "SELECT accuracy FROM published_results WHERE epochs = 13").rows
    assert accuracy == pytest.approx(8.867)


def test_a_wait_that_is_too_long_ends_in_an_error(warehouse, monkeypatch):
    monkeypatch.setattr(warehouse_module, "QUERY_PATIENCE", 0.1)
    monkeypatch.setattr(warehouse_module, "WRITE_PATIENCE", 0.1)
    with writing(warehouse), pytest.raises(WarehouseLockedError, match="this process still has it open"):
        query(warehouse, "SELECT 1")
    with duckdb.connect(warehouse):  # as a notebook would hold it
        with pytest.raises(WarehouseLockedError, match="another connection of this process") as raised:
            query(warehouse, "SELECT 1")
        assert not isinstance(raised.value, InputError)


@pytest.mark.slow
def test_views_are_defined_again_only_where_they_are_not_those_of_this_version(warehouse, tmp_path, monkeypatch):
    with duckdb.connect(warehouse) as connection:
        connection.execute("CREATE OR REPLACE VIEW leaderboard AS SELECT 1 AS one")
    prepare_warehouse(warehouse)
    assert query(warehouse, "SELECT count(*) FROM leaderboard WHERE accuracy > 1").rows == [(0,)]
    monkeypatch.setattr(migrations, "VIEWS_FILES", [*migrations.VIEWS_FILES, tmp_path / "next.sql"])
    for number in (1, 2):
        (tmp_path / "next.sql").write_text(f"CREATE OR REPLACE MACRO version() AS {number};")
        prepare_warehouse(warehouse)
        assert query(warehouse, "SELECT main.version()").rows == [(number,)]
    changed = warehouse.stat().st_mtime_ns
    prepare_warehouse(warehouse)
    assert warehouse.stat().st_mtime_ns == changed


@pytest.mark.slow
@pytest.mark.parametrize("version", ["v1.0.0", "v1.4.0", "v2.0.0"])
def test_views_are_defined_once_in_every_format_of_a_file(tmp_path, version):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(config={"storage_compatibility_version": version}) as connection:
        connection.execute(f"ATTACH '{path}' AS made; CREATE TABLE made.one (a INT); DROP TABLE made.one; DETACH made")
    prepare_warehouse(path)
    made = path.read_bytes()
    prepare_warehouse(path)
    assert path.read_bytes() == made
    with reading(path) as connection:
        tags = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'warehouse'"
        assert connection.execute(tags).fetchall() == [(f"{version}+",)]


def test_reads_of_a_block_share_one_opening_which_ends_with_it(warehouse):
    with reading_together(warehouse), reading(warehouse) as outer, reading(warehouse) as inner:
        rows = outer.execute("SELECT epochs FROM published_results ORDER BY ALL")
        assert inner.execute("SELECT count(*) FROM published_results").fetchall() == [(22,)]
        assert len(rows.fetchall()) == 22
    with writing(warehouse) as connection:
        connection.execute("DELETE FROM published_results")
    with reading(warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM published_results").fetchall() == [(0,)]


@pytest.mark.slow
def test_what_exceeds_memory_is_written_next_to_the_warehouse(tmp_path, monkeypatch, prepared):
    """By default DuckDB would use the working folder, which may be anybody's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening, "_CONFINE", f"SET memory_limit = '80MB'; {opening._CONFINE}")
    for name in ("one", "other"):
        path = tmp_path / name / "warehouse.duckdb"
        path.parent.mkdir()
        shutil.copy(prepared, path)
        with writing(path) as connection:
            [(spills,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
            many = "SELECT count(*) FROM (SELECT DISTINCT hash(i), i::VARCHAR FROM range(4_000_000) AS numbers(i))"
            assert connection.execute(many).fetchall() == [(4_000_000,)]
        assert spills == f"{path}.tmp"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one", "other"]

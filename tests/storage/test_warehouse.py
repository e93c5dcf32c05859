"""Opening, preparing and refusing a warehouse, within one process."""

import json
import shutil
import sqlite3
import threading
from pathlib import Path

import duckdb
import pytest

from schemas.errors import InputError
from storage import migrations
from storage import warehouse as warehouse_module
from storage.opening import READABLE_FROM, WarehouseLockedError
from storage.query import query
from storage.splits import load_earlier_parts
from storage.unfit import NotAWarehouseError, WarehouseGapError, WarehouseMissingError, WarehouseTooNewError
from storage.warehouse import (
    inspect_warehouse,
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


def test_an_older_warehouse_is_brought_up_to_date_and_gives_nothing_until_then(make_older_warehouse):
    path = make_older_warehouse(1)
    with duckdb.connect(path) as connection:
        config = json.dumps({"split": {"method": "hashed", "seed": 42}})
        connection.execute(
            "INSERT INTO studies SELECT 'study', 'desk', 'snapshot', 'split', 'model', NULL, 'news.csv', false, ?,"
            " [1.0], 'all', 'finished', now()::TIMESTAMP, NULL",
            [config],
        )
        connection.execute("INSERT INTO headlines VALUES ('0000000000000000', 'Sales rose.', 'positive', 'ingest')")
        connection.execute("INSERT INTO splits VALUES ('split', 'snapshot', '0000000000000000', 'test')")
    assert load_earlier_parts(path, 42).empty
    prepare_warehouse(path)
    assert query(path, "SELECT settings->>'method' FROM split_settings").rows == [("hashed",)]
    with writing(path) as connection:
        connection.execute("UPDATE headlines SET text_id = 'f'")
    assert load_earlier_parts(path, 42)["part"].tolist() == ["test"]


def test_a_migration_that_was_left_out_is_run_after_newer_ones(make_older_warehouse):
    path = make_older_warehouse(29, 26)
    prepare_warehouse(path)
    assert query(path, "SELECT count(*) FROM fintone_migrations").rows == [(len(migrations.known_migrations()),)]
    assert query(path, "SELECT count(*) FROM accepted_rows").rows == [(0,)]


def test_a_warehouse_with_the_newest_migration_is_not_up_to_date_while_an_earlier_one_is_missing(warehouse, caplog):
    newest = max(migrations.known_migrations())
    with writing(warehouse) as connection:
        connection.execute("DELETE FROM fintone_migrations WHERE number = 42")
        assert not migrations.is_up_to_date(connection)
    assert inspect_warehouse(warehouse, 1) == (41, newest)
    prepare_warehouse(warehouse)
    assert query(warehouse, "SELECT number FROM fintone_migrations WHERE number = 42").rows == [(42,)]
    assert f"migrated from 41 to {newest}" in caplog.text


@pytest.mark.parametrize("error", [duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InterruptException])
def test_a_gap_is_not_blamed_for_what_the_system_refuses(make_older_warehouse, monkeypatch, error):
    def fail(*_):
        raise error("No space left on device")

    path = make_older_warehouse(29, 26)
    monkeypatch.setattr(warehouse_module, "apply_migrations", fail)
    with pytest.raises(Exception, match="No space left on device") as raised:
        prepare_warehouse(path)
    assert not isinstance(raised.value, WarehouseGapError)


def test_a_migration_that_cannot_follow_newer_ones_is_told_in_one_line(make_older_warehouse):
    path = make_older_warehouse(18, 13, 16)
    before = path.read_bytes()
    line = r"of its migrations it lacks 13, 16, which cannot follow 18: .*; begin with a new FINTONE_HOME$"
    with pytest.raises(WarehouseGapError, match=line) as raised:
        prepare_warehouse(path)
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.glob("*.duckdb")] == [path.name]


def test_few_sessions_have_no_intervals_and_no_events_in_measurements_of_older_versions(make_older_warehouse):
    path = make_older_warehouse(43)
    with writing(path) as connection:
        for market, sessions in (("few", [9, 9]), ("enough", [10, 9])):
            connection.execute(
                "INSERT INTO ledger.market_tests BY NAME SELECT $market AS market_id, unnest(['panel', 'panel',"
                " 'instrument']) AS scope, unnest([1, 5, 1]) AS horizon, 'sentiment' AS measure, 100 AS days,"
                " unnest($sessions) AS sessions",
                {"market": market, "sessions": [*sessions, 3]},
            )
            connection.execute(
                "INSERT INTO ledger.market_quantiles BY NAME SELECT ? AS market_id, unnest([1, 5]) AS horizon, 1 AS"
                " quantile, 20 AS days, 0 AS sentiment, 0 AS value, -1 AS low, 1 AS high, .5 AS share_up",
                [market],
            )
            connection.execute(
                "INSERT INTO ledger.market_events BY NAME SELECT ? AS market_id, unnest(['positive', 'negative']) AS"
                ' direction, 0 AS "offset", 0 AS value, -1 AS low, 1 AS high, unnest([10, 9]) AS events',
                [market],
            )
    prepare_warehouse(path)
    quantiles = query(path, "SELECT market_id, horizon, low, high FROM ledger.market_quantiles ORDER BY ALL").rows
    missing = [(market, horizon, None, None) for market, horizon in (("enough", 5), ("few", 1), ("few", 5))]
    assert quantiles == [("enough", 1, -1, 1), *missing]
    assert query(path, "SELECT market_id, events FROM ledger.market_events").rows == [("enough", 10)]


def test_a_failed_migration_leaves_nothing_behind(warehouse, monkeypatch, tmp_path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    for file in migrations.MIGRATIONS_FOLDER.glob("*.sql"):
        (folder / file.name).write_text(file.read_text())
    (folder / "0098_good.sql").write_text("CREATE TABLE half (done BOOLEAN);")
    (folder / "0099_bad.sql").write_text("CREATE TABLE other (x INTEGER); CREATE TABLE other (x INTEGER);")
    monkeypatch.setattr(migrations, "MIGRATIONS_FOLDER", folder)
    with pytest.raises(duckdb.CatalogException):
        prepare_warehouse(warehouse)
    assert query(warehouse, "SELECT table_name FROM duckdb_tables() WHERE table_name IN ('half', 'other')").rows == []
    assert query(warehouse, "SELECT count(*) FROM fintone_migrations WHERE number > 90").rows == [(0,)]


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


@pytest.fixture
def before_0013(make_older_warehouse):
    """A warehouse as the version before migration 13 left it, with a post and two scored texts."""
    path = make_older_warehouse(12)
    with duckdb.connect(path) as connection:
        for text in ("Sales rose.", "Sales rose. https://t.co/1", "Société rose."):
            connection.execute(
                "INSERT INTO headlines BY NAME SELECT $text AS headline_id, $text AS text, 'positive' AS label,"
                " 'ingest' AS first_ingest_id, 't' AS text_id, 'm' AS masked_id",
                {"text": text},
            )
        connection.execute(
            "INSERT INTO scorings BY NAME SELECT 'scoring' AS scoring_id, 'news.csv' AS source, 'news.csv' AS location,"
            " 'cell' AS cell_id, 1 AS temperature, 'all' AS decoding_id, 2 AS rows_read, 0 AS rows_rejected,"
            " 2 AS headlines_scored, 0 AS headlines_known, now() AS started_at"
        )
        connection.execute(
            "INSERT INTO cells BY NAME SELECT 'cell' AS cell_id, 'fine-tuned' AS kind, 'base' AS model,"
            " 'snapshot' AS snapshot_id, 'split' AS split_id, '{}' AS hyperparameters, 'finished' AS status"
        )
        for number, probabilities in enumerate(((0.001, 0.0076, 0.0004, 0.991), (0.1, 0.2, 0.7, 0.0))):
            connection.execute(
                "INSERT INTO ledger.scores VALUES (?, 'cell', 1, 'all', 'text', 'neutral', ?, ?, ?, ?, 0.9986, now())",
                [str(number), *probabilities],
            )
            connection.execute("INSERT INTO ledger.scored_rows VALUES ('scoring', ?, ?)", [number + 1, str(number)])
    return path


def test_an_older_warehouse_gives_its_answers_by_the_current_rule(before_0013):
    prepare_warehouse(before_0013)
    rows = query(before_0013, "SELECT label, confidence, is_unparsed FROM scores ORDER BY row_number").rows
    assert rows == [("unparsed", 0.0076, True), ("positive", 0.7, False)]


def test_an_older_warehouse_forgets_only_the_masks_that_may_differ_now(before_0013):
    prepare_warehouse(before_0013)
    rows = query(before_0013, "SELECT text, masked_id FROM headlines ORDER BY text").rows
    assert rows == [("Sales rose.", "m"), ("Sales rose. https://t.co/1", None), ("Société rose.", None)]


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


def test_what_exceeds_memory_is_written_next_to_the_warehouse(tmp_path, monkeypatch, prepared):
    """By default DuckDB would use the working folder, which may be anybody's."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "other"):
        path = tmp_path / name / "warehouse.duckdb"
        path.parent.mkdir()
        shutil.copy(prepared, path)
        with writing(path) as connection:
            [(spills,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
            connection.execute("SET memory_limit = '80MB'")
            many = "SELECT count(*) FROM (SELECT DISTINCT hash(i), i::VARCHAR FROM range(4_000_000) AS numbers(i))"
            assert connection.execute(many).fetchall() == [(4_000_000,)]
            connection.execute("RESET memory_limit")
        assert spills == f"{path}.tmp"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one", "other"]

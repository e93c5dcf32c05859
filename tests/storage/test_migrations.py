"""Warehouses of earlier versions are brought up to date as a whole or not at all."""

import json

import duckdb
import pytest

from storage import migrations
from storage import warehouse as warehouse_module
from storage.query import query
from storage.splits import load_earlier_parts
from storage.unfit import WarehouseGapError
from storage.warehouse import (
    inspect_warehouse,
    prepare_warehouse,
    writing,
)


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

"""A user's SQL can read the warehouse and do nothing else."""

import pytest

from storage.query import QueryError, asking, query


@pytest.fixture
def folder(warehouse, monkeypatch):
    """The warehouse's folder, with a file of someone's in it, as working folder."""
    (warehouse.parent / "secret.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(warehouse.parent)
    return warehouse.parent


def test_a_query_gives_columns_and_rows(warehouse):
    result = query(warehouse, "SELECT kind, accuracy FROM published_results WHERE epochs = 13;")
    assert result.columns == ("kind", "accuracy")
    assert result.rows == [("fine-tuned", 0.867)]


@pytest.mark.parametrize(
    "sql",
    [
        "FROM published_results",
        "DESCRIBE headlines",
        "SHOW TABLES",
        "SUMMARIZE published_results",
        "EXPLAIN SELECT 1",
        "WITH best AS (SELECT max(accuracy) FROM published_results) FROM best",
        "PIVOT published_results ON temperature USING max(accuracy) GROUP BY learning_rate",
        "SELECT config->>'name' FROM studies",
        "VALUES (1)",
    ],
)
def test_whatever_only_reads_the_warehouse_runs(warehouse, sql):
    assert query(warehouse, sql).columns


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO published_results VALUES ('base', NULL, NULL, 1, 1, 1)",
        "WITH x AS (INSERT INTO published_results VALUES ('base', NULL, NULL, 1, 1, 1) RETURNING *) FROM x",
        "UPDATE published_results SET accuracy = 1",
        "DELETE FROM published_results",
        "DROP TABLE published_results",
        "CREATE TABLE mine (x INTEGER)",
        "CREATE TEMP TABLE mine (x INTEGER)",
        "EXPLAIN ANALYZE DELETE FROM published_results",
        "ATTACH 'other.duckdb'",
        "ATTACH ':memory:' AS other",
        "DETACH warehouse",
        "COPY published_results TO 'stolen.csv'",
        "COPY published_results TO 'warehouse.duckdb.wal'",
        "COPY published_results TO 'warehouse.duckdb' (USE_TMP_FILE false)",
        "WITH x AS (COPY published_results TO 'stolen.csv') FROM x",
        "WITH x AS (COPY published_results TO 'warehouse.duckdb.wal') FROM x",
        "WITH x AS (COPY published_results TO 'warehouse.duckdb' (USE_TMP_FILE false)) FROM x",
        "EXPLAIN ANALYZE COPY published_results TO 'warehouse.duckdb.wal' (USE_TMP_FILE false)",
        "EXPORT DATABASE 'stolen'",
        "IMPORT DATABASE 'secret'",
        "FROM read_csv('secret.csv')",
        "FROM 'secret.csv'",
        "FROM read_text('secret.csv')",
        "FROM read_blob('warehouse.duckdb')",
        "FROM glob('*')",
        "FROM sniff_csv('secret.csv')",
        "FROM read_csv('https://example.com/x.csv')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "RESET threads",
        "PRAGMA threads = 1",
        "SET disabled_filesystems = ''",
        "SET VARIABLE x = 1",
        "CALL enable_logging()",
        "CREATE SECRET s (TYPE s3)",
        "USE memory",
        "BEGIN",
        "CHECKPOINT",
        "SELECT getenv('HOME')",
        "FROM read_json('secret.json')",
        "FROM read_parquet('secret.parquet')",
        "FROM parquet_metadata('secret.parquet')",
        'FROM "secret.csv"',
        "FROM 'secret.*'",
        "FROM 'https://example.com/x.parquet'",
        "FROM 's3://bucket/x.parquet'",
        "FROM query('COPY published_results TO ''stolen.csv''')",
        "FROM query('SELECT * FROM read_text(''secret.csv'')')",
        "FROM query_table('secret.csv')",
        "FROM pandas_scan(140000000)",
        "FROM arrow_scan(1, 2, 3)",
        "FROM sqlite_scan('secret.csv', 'x')",
        "FROM read_xlsx('secret.xlsx')",
        "FROM force_checkpoint('warehouse')",
        "FROM read_text('/proc/self/environ')",
        "FROM read_csv('/dev/stdin')",
        "DESCRIBE SELECT * FROM 'secret.csv'",
        "SUMMARIZE 'secret.csv'",
        "PIVOT 'secret.csv' ON a USING count(*)",
        "PIVOT published_results ON temperature USING max(accuracy); COPY published_results TO 'stolen.csv'",
        "EXPLAIN COPY published_results TO 'stolen.csv'",
        "COPY (SELECT 1) TO '/dev/stdout'",
        "COPY published_results FROM 'secret.csv'",
        "COPY FROM DATABASE warehouse TO memory",
        "WITH x AS (DELETE FROM published_results RETURNING *) FROM x",
        "WITH x AS (UPDATE published_results SET accuracy = 1 RETURNING *) FROM x",
        "MERGE INTO published_results USING (SELECT 1) ON false WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
        "ALTER TABLE published_results RENAME TO mine",
        "COMMENT ON TABLE published_results IS 'mine'",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE TEMP MACRO mine() AS 1",
        "CREATE SCHEMA mine",
        "CREATE SEQUENCE mine",
        "CREATE INDEX mine ON published_results (accuracy)",
        "PREPARE mine AS SELECT 1",
        "PRAGMA database_list",
        "PRAGMA enable_profiling",
        "SET enable_external_access = true",
        "RESET enable_external_access",
        "SET VARIABLE x = (SELECT content FROM read_text('secret.csv'))",
        "INSTALL httpfs FROM community",
        "UPDATE EXTENSIONS",
        "LOAD 'mine.duckdb_extension'",
        "ATTACH 'https://example.com/x.duckdb'",
        "ATTACH OR REPLACE 'warehouse.duckdb' AS warehouse",
        "ATTACH 'secret.db' AS x (TYPE sqlite)",
        "EXPORT DATABASE 'stolen' (FORMAT parquet)",
        "VACUUM",
        "FORCE CHECKPOINT",
        "ROLLBACK",
    ],
)
def test_whatever_does_more_is_refused_in_one_line(folder, warehouse, sql):
    def state():
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    before = state()
    with pytest.raises(QueryError, match=r"^sql: ") as raised:
        query(warehouse, sql)
    assert "\n" not in str(raised.value)
    assert state() == before


def test_the_settings_that_a_query_can_read_name_no_place_but_the_warehouse(folder, warehouse, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "private"))
    shown = query(warehouse, "SELECT name, value FROM duckdb_settings()").rows
    assert [(name, value) for name, value in shown if "private" in str(value)] == []
    assert {name for name, value in shown if str(folder) in str(value)} <= {"allowed_paths"}


def test_variables_of_the_program_are_out_of_reach(warehouse):
    with pytest.raises(QueryError, match="Table with name connection does not exist"):
        query(warehouse, "FROM connection")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT accurcy FROM leaderboard", r"accurcy.*accuracy"),
        ("SELECT 'x'::INTEGER", "Could not convert"),
        ("SELECT $1", "parameters"),
        ("", "0 statements given"),
        ("SELECT 1; SELECT 2", "2 statements given"),
        ("SELECT '\udcc3\udcb1'", "bytes that are not text in the system's encoding"),
    ],
)
def test_wrong_sql_is_explained_in_one_line(warehouse, sql, message):
    with pytest.raises(QueryError, match=message) as raised:
        query(warehouse, sql)
    assert "\n" not in str(raised.value)


def test_limits_may_be_as_large_as_one_likes(finished):
    with asking(finished, "SELECT 1", 1e12, 1e300) as result:
        assert list(result.rows) == [(1,)]

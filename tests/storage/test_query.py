"""A user's SQL reads the warehouse, and nothing it can say does more."""

import pytest

from storage.query import QueryError, query


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
    ],
)
def test_wrong_sql_is_explained_in_one_line(warehouse, sql, message):
    with pytest.raises(QueryError, match=message) as raised:
        query(warehouse, sql)
    assert "\n" not in str(raised.value)

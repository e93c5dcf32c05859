"""A warehouse that came from elsewhere reaches no file outside its folder, whatever it says."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from operations.deletion import carry_out, propose_deletion
from storage.home import HomeError
from storage.locks import holding
from storage.query import QueryError, query
from storage.warehouse import prepare_warehouse, writing
from tests.asking import ask

WRITES = (
    "enable_profiling(format = 'json', save_location = '{}')",
    "enable_logging(storage_path = '{}')",
)


@pytest.fixture
def victim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "victim.txt"
    path.write_text("precious")
    return path


def spoil(warehouse: Path, *statements: str) -> None:
    """Change a warehouse with another program."""
    with duckdb.connect(warehouse) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("function", WRITES)
def test_a_macro_writes_no_other_file(finished: Path, victim: Path, function: str) -> None:
    macro = f"(SELECT count(*)::VARCHAR FROM {function.format(victim)})"
    spoil(finished, f"CREATE OR REPLACE MACRO ledger.views_stamp() AS {macro}")
    with pytest.raises(duckdb.Error, match="locked"):
        prepare_warehouse(finished)
    with pytest.raises(QueryError, match="locked"):
        query(finished, "SELECT ledger.views_stamp()")
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("function", WRITES)
def test_what_a_query_must_read_before_its_own_sql_writes_no_other_file(
    finished: Path, victim: Path, function: str
) -> None:
    spoil(
        finished,
        "ALTER TABLE fintone_migrations RENAME TO kept",
        f"CREATE VIEW fintone_migrations AS SELECT kept.* FROM kept, {function.format(victim)}",
    )
    with pytest.raises(duckdb.Error, match="locked"):
        query(finished, "SELECT 1")
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("ask_it", [query, ask])
def test_a_view_reads_no_other_file(finished: Path, victim: Path, ask_it: Callable[[Path, str], object]) -> None:
    spoil(finished, f"CREATE OR REPLACE VIEW copies AS SELECT content FROM read_text('{victim}')")
    with pytest.raises(Exception, match="disabled"):
        ask_it(finished, "FROM copies")


def test_an_id_is_no_path(finished: Path, victim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINTONE_HOME", str(finished.parent))
    with writing(finished) as connection:
        connection.execute("UPDATE study_cells SET cell_id = '../..' WHERE cell_id = 'tuned'")
    refused = "'../..' is no id that fintone gives; another program changed the file"
    with pytest.raises(HomeError, match=refused):
        carry_out(propose_deletion("study"))
    with pytest.raises(HomeError, match=refused), holding(finished, "cell", "../.."):
        pass
    assert victim.exists()

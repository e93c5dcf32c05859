"""Commands on a warehouse that is unfit or locked by another process, and queries with their answers."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import warehouse as warehouse_module
from storage.warehouse import writing
from tests.held_warehouse import held_elsewhere

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]


@pytest.fixture
def holder(warehouse: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the warehouse open for writing."""
    with held_elsewhere(warehouse) as process:
        yield process


def test_a_query_without_a_warehouse_says_how_to_get_one(refuse: Refuse, home: Path) -> None:
    line = refuse("sql", "FROM leaderboard")
    assert f"warehouse {home / 'warehouse.duckdb'}: does not exist; run `fintone run` first" in line
    assert not home.exists()


@pytest.mark.parametrize("arguments", [["sql", "FROM leaderboard"], ["run"]])
def test_a_file_that_is_no_warehouse_is_left_as_it_is(refuse: Refuse, warehouse: Path, arguments: list[str]) -> None:
    warehouse.write_text("minutes of the meeting")
    assert f"warehouse {warehouse}: no warehouse of fintone (not a DuckDB file)" in refuse(*arguments)
    assert warehouse.read_text() == "minutes of the meeting"


@pytest.mark.parametrize("arguments", [["sql", "FROM leaderboard"], ["run"]])
def test_a_warehouse_of_a_newer_fintone_is_left_as_it_is(refuse: Refuse, warehouse: Path, arguments: list[str]) -> None:
    with writing(warehouse) as connection:
        connection.execute("INSERT INTO fintone_migrations (number, name, applied_at) VALUES (999, 'later', now())")
    before = warehouse.read_bytes()
    assert "a newer fintone made it (migration 999, " in refuse(*arguments)
    assert warehouse.read_bytes() == before


@pytest.mark.parametrize("arguments", [["sql", "FROM leaderboard"], ["run"]])
def test_a_locked_warehouse_names_the_process_and_fails(
    fintone: Run, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(warehouse_module, "READ_PATIENCE", 0.1)
    monkeypatch.setattr(warehouse_module, "QUERY_PATIENCE", 0.1)
    code, out, err = fintone(*arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"another process (PID {holder.pid}, python" in err
    assert ") holds it; try again later" in err


def test_a_waiting_command_names_the_process_that_it_waits_for_and_then_continues(
    holder: subprocess.Popen[str],
) -> None:
    program, pipe = Path(sys.executable).with_name("fintone"), subprocess.PIPE
    command = [str(program), "sql", "SELECT 1 AS one"]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as waiting:
        assert waiting.stderr
        message = waiting.stderr.readline()
        holder.communicate("go on\n")
        out, _ = waiting.communicate()
    assert re.search(
        rf"another process \(PID {holder.pid}, python[\d.]*\) holds it; waiting up to \d+ s more, Ctrl-C", message
    )
    assert (waiting.returncode, out.splitlines()[0]) == (0, "one")


def test_an_interruption_is_one_line_and_exit_code_130(fintone: Run, holder: subprocess.Popen[str]) -> None:
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    code, out, err = fintone("sql", "SELECT 1")
    signal.signal(signal.SIGALRM, before)
    assert (code, out) == (130, "")
    assert err == "fintone: interrupted\n"


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("SELEC 1", 'sql: Parser Error: syntax error at or near "SELEC"'),
        ("FROM leaderbord", "leaderbord does not exist! Did you mean"),
        ("DROP TABLE cells", "sql: DROP is not a query"),
        ("", "sql: 0 statements given"),
    ],
)
def test_wrong_sql_is_explained(refuse: Refuse, warehouse: Path, statement: str, line: str) -> None:
    assert line in refuse("sql", statement)


def test_an_answer_goes_to_the_output_file_and_nowhere_else(fintone: Run, warehouse: Path) -> None:
    assert fintone("sql", "SELECT 'é' AS sign", "--format", "csv", "--output", "answer.csv") == (0, "", "")
    assert Path("answer.csv").read_text(encoding="utf-8") == "sign\né\n"


@pytest.mark.parametrize("output", ["nowhere/answer.csv", "."])
def test_an_output_that_cannot_be_written_is_named(refuse: Refuse, warehouse: Path, output: str) -> None:
    assert f"output {output}: " in refuse("sql", "SELECT 1", "--output", output)


def test_wrong_sql_leaves_the_output_file_as_it_was(refuse: Refuse, warehouse: Path) -> None:
    Path("answer.csv").write_text("yesterday's")
    refuse("sql", "SELEC 1", "--output", "answer.csv")
    assert Path("answer.csv").read_text() == "yesterday's"

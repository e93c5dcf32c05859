"""A home that an earlier fintone left: a command migrates it and keeps a copy, and every command works on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from storage import migrations
from storage.champions import load_champion
from storage.query import query
from tests.asking import ask
from tests.old_home.restore import CHAMPION, FOLDER, LEADERBOARD, LEADERBOARD_QUERY, MIGRATION, OTHER

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]
DECISIONS = "SELECT number, decision, decided_by, cell_id, reason FROM champions ORDER BY number"


def list_files(home: Path) -> list[str]:
    return sorted(file.name for file in home.iterdir() if file.is_file())


def test_a_query_reads_it_as_it_is(fintone: Run, old_home: Path) -> None:
    before = (old_home / "warehouse.duckdb").read_bytes()
    assert fintone("sql", LEADERBOARD_QUERY, "--format", "csv") == (0, LEADERBOARD, "")
    assert (old_home / "warehouse.duckdb").read_bytes() == before
    assert list_files(old_home) == ["warehouse.duckdb"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("compare", CHAMPION, OTHER),
        ("promote", OTHER, "--reason", "one epoch is enough", "--yes"),
        ("report",),
        ("withdraw", CHAMPION),
    ],
)
def test_a_command_migrates_it_and_names_the_copy(fintone: Run, old_home: Path, command: tuple[str, ...]) -> None:
    warehouse = old_home / "warehouse.duckdb"
    first = min(number for number in migrations.known_migrations() if number > MIGRATION)
    copy, before = old_home / f"warehouse.before-migration-{first:04}.duckdb", warehouse.read_bytes()
    code, _, err = fintone(*command)
    line = f"warehouse {warehouse}: migrated from {MIGRATION} to 9000; the file as it was: {copy}\n"
    assert (code, err) == (0, line)
    assert copy.read_bytes() == before
    assert fintone("compare", CHAMPION, OTHER)[::2] == (0, "")  # the second time, nothing is migrated
    assert list_files(old_home) == [copy.name, warehouse.name]


def test_its_leaderboard_and_its_champion_stay(fintone: Run, old_home: Path) -> None:
    warehouse = old_home / "warehouse.duckdb"
    decisions = query(warehouse, DECISIONS)
    assert fintone("compare", CHAMPION, OTHER)[0] == 0
    assert fintone("sql", LEADERBOARD_QUERY, "--format", "csv") == (0, LEADERBOARD, "")
    assert query(warehouse, DECISIONS) == decisions
    assert load_champion(warehouse) == (CHAMPION, 0.1)
    [(path,)] = ask(warehouse, f"SELECT adapter_path FROM cells WHERE cell_id = '{CHAMPION}'")
    assert (old_home / path).samefile(old_home / "adapters" / CHAMPION)


def test_another_champion_is_promoted_and_taken_back(fintone: Run, old_home: Path) -> None:
    assert fintone("promote", OTHER, "--reason", "one epoch is enough", "--yes")[0] == 0
    assert load_champion(old_home / "warehouse.duckdb") == (OTHER, 0.1)
    assert fintone("promote", "--back", "--reason", "it is not", "--yes")[0] == 0
    assert load_champion(old_home / "warehouse.duckdb") == (CHAMPION, 0.1)


@pytest.mark.slow
def test_its_champion_is_exported_and_answers_as_its_ledger_records(fintone: Run, old_home: Path) -> None:
    code, out, err = fintone("export", CHAMPION, "--output", "model")
    assert (code, err.count("\n")) == (0, 1)
    assert err.endswith(f"; the file as it was: {next(old_home.glob('*.before-*'))}\n")
    assert "it answers 12 test headlines as the ledger records" in " ".join(out.split())
    assert (Path("model") / "adapter_model.safetensors").exists()


@pytest.mark.slow
def test_its_source_is_read_again_on_request_and_its_leaderboard_stays(fintone: Run, old_home: Path) -> None:
    warehouse, source = old_home / "warehouse.duckdb", str(FOLDER / "headlines.csv")
    rows = "SELECT count(*) FROM accepted_rows"
    *_, message = fintone("ingest", source)[2].splitlines()
    assert message == (
        "headlines.csv: an earlier version read it and left out dates, instruments and other columns; "
        f"`fintone ingest {source} --again` reads them"
    )
    assert query(warehouse, rows).rows == [(0,)]
    code, out, err = fintone("ingest", source, "--again")
    assert (code, err.splitlines()[-1]) == (
        0,
        "headlines.csv: read again, its headlines are snapshot d52fc1494b78c6c6 as before",
    )
    assert query(warehouse, rows).rows == [(2 * 49,)]
    assert fintone("ingest", source, "--again")[1].splitlines()[1:] == out.splitlines()[1:]
    assert "earlier version" not in fintone("ingest", source)[2]
    assert fintone("sql", LEADERBOARD_QUERY, "--format", "csv") == (0, LEADERBOARD, "")


def test_a_source_that_is_gone_is_not_read_again(refuse: Refuse, old_home: Path) -> None:
    before = (old_home / "warehouse.duckdb").read_bytes()
    assert refuse("ingest", "/srv/desk/headlines.csv", "--again") == (
        "fintone: source '/srv/desk/headlines.csv' does not exist: give the path of a file or folder, hf:ORG/NAME, or "
        "`embedded`\n"
    )
    assert (old_home / "warehouse.duckdb").read_bytes() == before

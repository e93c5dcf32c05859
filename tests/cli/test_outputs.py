"""No command writes its output into the home or over a source, and one that cannot be written is reported in a line."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.warehouse import writing

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]
FINTONE = Path(sys.executable).with_name("fintone")
QUERY = ("sql", "SELECT 1 AS n", "--format", "csv", "--output")
COMMANDS = (
    QUERY,
    ("compare", "aaaa", "bbbb", "--output"),
    ("report", "--output"),
    ("export", "aaaa", "--output"),
)


@pytest.fixture
def source(warehouse: Path, tmp_path: Path) -> Path:
    """A source that the warehouse knows."""
    path = tmp_path / "headlines.csv"
    path.write_text("text,label\nSales rose,positive\n")
    with writing(warehouse) as connection:
        connection.execute(
            "INSERT INTO source_visits BY NAME SELECT ? AS location, 'i' AS ingest_id, now()::TIMESTAMP AS met_at",
            [str(path)],
        )
    return path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", ["warehouse.duckdb", "adapters/x", "", "new/folder", "../home/warehouse.duckdb"])
def test_an_output_in_the_home_is_refused(
    refuse: Refuse, warehouse: Path, command: tuple[str, ...], place: str
) -> None:
    before = warehouse.read_bytes()
    output = str(warehouse.parent / place)
    assert f"lies in the home {warehouse.parent}; give a place outside" in refuse(*command, output)
    assert warehouse.read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_behind_a_link_into_the_home_is_refused(
    refuse: Refuse, warehouse: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "to-file").symlink_to(warehouse)
    (tmp_path / "to-folder").symlink_to(warehouse.parent)
    for output in ("to-file", "to-folder/answer.csv"):
        assert "lies in the home" in refuse(*command, str(tmp_path / output))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_source_is_never_overwritten(
    refuse: Refuse, warehouse: Path, source: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (source.parent / "link.csv").symlink_to(source)
    os.link(source, source.parent / "twin.csv")
    monkeypatch.chdir(source.parent / "work")
    for output in (str(source), "../headlines.csv", "../link.csv", "../twin.csv"):
        assert f"would overwrite or change the source {source}; give another place" in refuse(*command, output)
    assert source.read_text().startswith("text,label")


def test_a_folder_that_is_a_source_gets_no_file(refuse: Refuse, warehouse: Path, source: Path) -> None:
    folder = source.parent / "news"
    folder.mkdir()
    with writing(warehouse) as connection:
        connection.execute("UPDATE source_visits SET location = ?", [str(folder)])
    assert f"would overwrite or change the source {folder}" in refuse(*QUERY, str(folder / "answer.csv"))
    assert list(folder.iterdir()) == []


def test_a_hard_link_to_the_warehouse_is_replaced_and_the_warehouse_is_not(
    fintone: Run, warehouse: Path, tmp_path: Path
) -> None:
    os.link(warehouse, tmp_path / "twin.csv")
    before = warehouse.read_bytes()
    assert fintone(*QUERY, str(tmp_path / "twin.csv")) == (0, "", "")
    assert ((tmp_path / "twin.csv").read_text(), warehouse.read_bytes()) == ("n\n1\n", before)


def test_wrong_sql_and_a_device_leave_what_is_there(fintone: Run, warehouse: Path, tmp_path: Path) -> None:
    assert fintone(*QUERY, "/dev/null") == (0, "", "")
    assert Path("/dev/null").is_char_device()
    (tmp_path / "old.csv").write_text("old")
    assert fintone("sql", "SELECT error('x')", "--output", str(tmp_path / "old.csv"))[0] == 2
    assert (tmp_path / "old.csv").read_text() == "old"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("sql", "SELECT 1 AS n"),
        ("sql", "SELECT i FROM range(100000) AS t(i)", "--format", "csv"),
        ("list", "--format", "json"),
        ("profiles",),
    ],
)
def test_a_full_standard_output_is_reported_in_a_line(warehouse: Path, command: tuple[str, ...]) -> None:
    environment = {**os.environ, "FINTONE_HOME": str(warehouse.parent)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([FINTONE, *command], env=environment, stdout=full, stderr=subprocess.PIPE, check=False)
    fault = "cannot be written (No space left on device); free disk space, or give another place"
    assert (done.returncode, done.stderr.decode()) == (2, f"fintone: standard output: {fault}\n")


def test_an_output_may_be_a_pipe_behind_standard_output(warehouse: Path) -> None:
    environment = {**os.environ, "FINTONE_HOME": str(warehouse.parent)}
    command = [FINTONE, *QUERY, "/dev/stdout"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "n\n1\n", "")


def test_a_file_behind_standard_output_keeps_what_others_wrote(warehouse: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("yesterday\n")
    environment = {**os.environ, "FINTONE_HOME": str(warehouse.parent)}
    with log.open("a") as appended:
        command = [FINTONE, *QUERY, "/dev/stdout"]
        done = subprocess.run(command, env=environment, stdout=appended, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, log.read_text()) == (2, "yesterday\n")
    assert done.stderr.startswith("fintone: output /dev/stdout: is a file that is open already")


def test_a_dash_is_no_place(refuse: Refuse, warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "output -: is no place; leave --output out" in refuse(*QUERY, "-")
    assert not Path("-").exists()

"""The suffix of `--output` decides the format of an answer, unless `--format` does."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.compared_cells import make_compared

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]
SQL = ("sql", "SELECT 1 AS n")
COMPARE = ("compare", "aaaa", "bbbb")
TABLE = "n\n-\n1\n(1 row)\n"


@pytest.fixture(scope="module")
def compared(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_compared(prepared, tmp_path_factory.mktemp("compared"))


@pytest.fixture
def study(warehouse: Path, compared: Path) -> Path:
    return Path(shutil.copy(compared, warehouse))


@pytest.mark.parametrize(
    ("output", "content"),
    [
        ("answer.csv", "n\n1\n"),
        ("ANSWER.CSV", "n\n1\n"),
        ("answer.json", '[\n  {\n    "n": 1\n  }\n]\n'),
        ("answer.txt", TABLE),
        ("answer", TABLE),
        ("answer.v1", TABLE),
    ],
)
def test_the_suffix_decides(fintone: Run, warehouse: Path, output: str, content: str) -> None:
    assert fintone(*SQL, "--output", output) == (0, "", "")
    assert Path(output).read_text() == content


@pytest.mark.parametrize(
    ("format_", "output", "content"),
    [("table", "answer.csv", TABLE), ("csv", "answer.json", "n\n1\n"), ("csv", "answer.parquet", "n\n1\n")],
)
def test_a_format_that_is_given_decides(fintone: Run, warehouse: Path, format_: str, output: str, content: str) -> None:
    assert fintone(*SQL, "--format", format_, "--output", output) == (0, "", "")
    assert Path(output).read_text() == content


@pytest.mark.parametrize("command", [SQL, ("list", "studies")])
@pytest.mark.parametrize("suffix", [".parquet", ".xlsx", ".csv.gz", ".jsonl", ".md", ".PARQUET"])
def test_a_suffix_of_another_format_is_refused(
    refuse: Refuse, warehouse: Path, command: tuple[str, ...], suffix: str
) -> None:
    line = refuse(*command, "--output", f"a{suffix}")
    named = Path(f"a{suffix}").suffix.lower()
    assert f"output a{suffix}: the command writes no {named}; give a file that ends in .csv, .json or" in line
    assert not Path(f"a{suffix}").exists()


def test_each_command_has_its_own_formats(fintone: Run, refuse: Refuse, study: Path) -> None:
    assert fintone("list", "cells", "--output", "cells.csv") == (0, "", "")
    assert Path("cells.csv").read_text().startswith("cell,name,status,")
    assert fintone(*COMPARE, "--output", "answer.json") == (0, "", "")
    assert json.loads(Path("answer.json").read_text())["part"] == "test"
    for command in (COMPARE, ("market", "--prices", "prices.csv")):
        line = refuse(*command, "--output", "answer.csv")
        assert "the command writes no .csv; give a file that ends in .json or, for a table, .txt" in line

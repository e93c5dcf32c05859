"""Text from outside reaches a terminal with its control characters escaped: errors, tables, progress, summaries."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from cli.output.console import SafeConsole, print_lines
from cli.output.leaderboard import build_table
from cli.session.live import LiveView
from cli.session.terminal import ProgressHandler
from schemas.text import show_text
from tests.cli.pseudo_terminal import run_in_terminal

Run = Callable[..., tuple[int, str, str]]
FINTONE = Path(sys.executable).with_name("fintone")
EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\r\nfintone: all is well"
ESCAPED = r"\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\r\nfintone: all is well"
ROW = {
    "cell_id": "c",
    "cell_name": EVIL,
    "temperature": 1.0,
    "accuracy": 0.5,
    "macro_f1": 0.5,
    "accuracy_low": 0.4,
    "accuracy_high": 0.6,
    "is_champion": False,
}


def is_harmless(text: str) -> bool:
    return all(sign.isprintable() or sign == "\n" for sign in text)


@given(st.text(st.characters(exclude_categories=[])))
def test_a_text_is_shown_in_one_line_of_visible_characters(text: str) -> None:
    assert show_text(text).isprintable()
    assert is_harmless(show_text(text, lines=True).replace("\t", ""))
    if text.isprintable():
        assert show_text(text) == text


def test_an_error_is_one_line_whatever_it_repeats(refuse: Callable[..., str], warehouse: Path) -> None:
    line = refuse("ingest", f"{EVIL}.csv")
    assert ESCAPED in line
    assert is_harmless(line)
    assert is_harmless(refuse("sql", f"SELECT '{EVIL}' FROM x"))
    assert is_harmless(refuse("run", f"--{EVIL}"))


@pytest.mark.parametrize("command", [["show"], ["delete"], ["ingest"], ["run", "--set"]])
def test_an_argument_that_is_not_utf_8_is_refused_with_its_bytes(
    command: list[str], refuse: Callable[..., str], warehouse: Path
) -> None:
    line = refuse(*command, os.fsdecode(b"caf\xe9.csv"))
    assert line == "fintone: argument caf\\xe9.csv: is not UTF-8; if it names a file, rename the file\n"


def test_a_traceback_is_harmless_too(fintone: Run, warehouse: Path) -> None:
    code, _, err = fintone("--debug", "ingest", f"{EVIL}.csv")
    assert (code, "Traceback" in err, is_harmless(err)) == (2, True, True)


def test_whatever_a_console_prints_is_harmless() -> None:
    console = SafeConsole(file=io.StringIO(), width=200)
    table = Table(title=EVIL)
    table.add_column(EVIL)
    table.add_row(Text(EVIL))
    console.print(EVIL, markup=False)
    console.print(table)
    console.print(build_table([ROW], EVIL, {ROW["cell_id"]: EVIL}))
    print_lines([(EVIL, EVIL)], console)
    view = LiveView()
    view.take({"cells": [EVIL], "cell": EVIL, "state": "failed", "result": EVIL})
    console.print(view)
    handler = ProgressHandler(console)
    record = logging.makeLogRecord({"fintone": {"text": EVIL}})
    handler.emit(record)
    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue()
    assert is_harmless(written)
    assert written.count(r"\x1b[2J") >= 8


def test_colours_of_our_own_stay() -> None:
    console = SafeConsole(file=io.StringIO(), force_terminal=True, width=80, _environ={"TERM": "xterm-256color"})
    console.print(Text("red", style="red"))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "\x1b[31mred\x1b[0m\n"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_data_on_a_terminal_is_harmless_and_in_a_pipe_it_is_whole(warehouse: Path, form: str) -> None:
    statement = "SELECT chr(27) || '[31mred' || chr(155) || 'x' AS text"
    environment = {"FINTONE_HOME": str(warehouse.parent)}
    command = [str(FINTONE), "sql", statement, "--format", form]
    shown, errors = run_in_terminal(command, environment)
    assert errors == ""
    assert is_harmless(shown)
    assert "[31mred" in shown
    if form == "csv":
        piped = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, check=True
        ).stdout.decode()
        assert piped == "text\n\x1b[31mred\x9bx\n"


def test_a_character_that_the_encoding_lacks_is_escaped() -> None:
    """A file name that cannot be encoded must not fail a command whose work is done."""
    written = io.BytesIO()
    console = SafeConsole(file=io.TextIOWrapper(written, encoding="latin-1", write_through=True), width=200)
    print_lines([("source", "caf\u00e9 \u2603.csv")], console)
    assert written.getvalue().decode("latin-1").split() == ["source", "caf\u00e9", r"\u2603.csv"]

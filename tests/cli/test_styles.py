"""Answers have styles on a colour terminal, none elsewhere, and never those of a headline or a name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.compared_cells import make_compared
from tests.cli.pseudo_terminal import run_in_terminal

FINTONE = str(Path(sys.executable).with_name("fintone"))
STYLE = re.compile(r"\x1b\[([\d;]*)m")
RED = "31"
"""The style that a headline and a finding try to set; no answer here uses it."""
EXAMINED = """
from cli.doctor import checkup
from cli.main import main
from schemas.checkup import Finding

checkup.examine = lambda: [Finding("home", "ok", "is in \\x1b[31mred")]
main()
"""
COMPARE = [FINTONE, "compare", "aaaa", "5555aaaabbbb", "--flips", "1"]
COMMANDS = [COMPARE, [sys.executable, "-c", EXAMINED, "doctor"]]


@pytest.fixture
def environment(prepared: Path, tmp_path: Path) -> dict[str, str]:
    make_compared(prepared, tmp_path)
    return {"FINTONE_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.mark.parametrize("command", COMMANDS, ids=["compare", "doctor"])
def test_an_answer_is_styled_on_a_colour_terminal_and_text_from_outside_is_not(
    environment: dict[str, str], command: list[str]
) -> None:
    shown, errors = run_in_terminal(command, environment)
    assert errors == ""
    assert r"\x1b[1m" not in shown
    assert r"\x1b[31m" in shown
    styles = STYLE.findall(shown)
    assert "1" in styles
    assert RED not in styles
    assert all(line.isprintable() for line in STYLE.sub("", shown).splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=["compare", "doctor"])
def test_an_answer_has_no_styles_in_a_pipe_or_without_colours(environment: dict[str, str], command: list[str]) -> None:
    plain = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    ).stdout
    uncoloured, _ = run_in_terminal(command, {**environment, "NO_COLOR": "1"})
    for text in (plain, uncoloured):
        assert r"\x1b[1m" not in text
        assert r"\x1b[31m" in text
        assert all(line.isprintable() for line in text.splitlines())

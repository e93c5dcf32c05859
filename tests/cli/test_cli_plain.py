"""The command line in a process of its own: emphasis on a terminal that wants it, plain text everywhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import main as cli
from schemas.profiles import load_profile_text

ROOT = Path(cli.__file__).parents[1]
START = "from cli.main import main; main()"
ONLY_THE_HOME = """
from cli.doctor import checkup
examine = checkup.examine
checkup.examine = lambda: examine([group for group in checkup.GROUPS if "home" in group])
"""
"""Before START, `fintone doctor` without the checks that load libraries."""


def spawn(*arguments: str, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, without a terminal."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-c", before + START, *arguments]
    return subprocess.run(command, env=variables, capture_output=True, encoding="utf-8", check=False, timeout=120)


def spawn_on_terminal(*arguments: str, **environment: str) -> bytes:
    """Run a command whose output is a terminal, and return what it wrote there."""
    ours, theirs = os.openpty()
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    command = [sys.executable, "-c", START, *arguments]
    process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:  # Linux ends a terminal that the other side has closed with an error
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=120) == 0
    return written


@pytest.mark.slow
def test_a_terminal_gets_emphasis_unless_it_wants_none(warehouse: Path) -> None:
    assert b"\x1b[1mgc" in spawn_on_terminal("gc", NO_COLOR="")
    assert b"\x1b" not in spawn_on_terminal("gc", NO_COLOR="1")


def test_a_terminal_without_a_known_width_gets_the_whole_answer(warehouse: Path) -> None:
    assert b"\x1b[1mgc" in spawn_on_terminal("gc", NO_COLOR="", COLUMNS="0")


@pytest.mark.slow
def test_a_pipe_gets_plain_text(home: Path) -> None:
    done = spawn("run", "--dry-run", COLUMNS="40", TERM="xterm-256color")
    assert done.returncode == 0
    assert done.stdout.startswith("study ")
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 40


def test_a_reader_that_leaves_early_causes_no_message(warehouse: Path) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", START, "sql", "FROM range(200_000)"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_doctor_escapes_characters_that_the_encoding_lacks(warehouse: Path, tmp_path: Path) -> None:
    home = tmp_path / "☃"
    variables = {"PYTHONIOENCODING": "latin-1", "FINTONE_HOME": str(home), "COLUMNS": "400"}
    done = spawn("doctor", before=ONLY_THE_HOME, **variables)
    assert done.stderr == ""
    assert f"{tmp_path}/\\u2603 can be written" in done.stdout


def test_data_with_a_character_that_the_encoding_lacks_is_an_error(warehouse: Path, tmp_path: Path) -> None:
    done = spawn("sql", "SELECT '☃' AS sign", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stdout) == (2, "sign\n----\n")
    assert done.stderr == (
        "fintone: standard output: its encoding latin-1 has no '\\u2603'; set PYTHONIOENCODING=utf-8, or use --output\n"
    )
    named = tmp_path / "desk.yaml"
    named.write_text(load_profile_text("demo") + "# ☃\n", encoding="utf-8")
    done = spawn("profiles", str(named), PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "fintone: standard output: its encoding latin-1 has no '\\u2603'; set PYTHONIOENCODING=utf-8\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("stream", [">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_the_caller_closed_makes_no_error(stream: str, warehouse: Path, tmp_path: Path) -> None:
    output = tmp_path / "answer.csv"
    words = f"""exec "$0" -c "{START}" sql "SELECT 1 AS one" --output "$1" {stream}"""
    command = ["sh", "-c", words, sys.executable, str(output)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert output.read_text() == "one\n1\n"

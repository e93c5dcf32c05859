"""What a terminal shows while a flow runs: announced lines, a live view if it is a screen, and no line of Prefect's."""

import io
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import debugging
from cli.output.console import print_text
from cli.session import terminal
from cli.session.terminal import ProgressHandler, show_progress

ROOT = Path(terminal.__file__).parents[2]
LINES = re.compile(r"\d\d:\d\d:\d\d  ([^\r\n]*)")
"""The text that follows the time of day."""


def make_console(*, screen: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=screen, width=80, _environ={"TERM": "xterm"})


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("prefect.test")
    before = logger.level
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(before)


def progress(logger: logging.Logger, done: int, total: int, title: str = "train") -> None:
    event: dict[str, Any] = {"title": title, "done": done, "total": total, "detail": "loss 0.5", "ends": ""}
    text = f"{title}, {done}/{total}"
    logger.info(text, extra={"fintone": {"text": text, **event}})


def announce(logger: logging.Logger, text: str, **event: Any) -> None:
    logger.info(text, extra={"fintone": {"text": text, **event}})


def test_lines_of_a_topic_that_was_already_shown_are_left_out(logger: logging.Logger) -> None:
    console = make_console(screen=False)
    logger.addHandler(handler := ProgressHandler(console, frozenset({"source"})))
    announce(logger, "news.csv: nothing new", topic="source")
    announce(logger, "split: 900 train")
    logger.removeHandler(handler)
    assert LINES.findall(written(console)) == ["split: 900 train"]


def test_a_screen_breaks_lines_only_between_words_and_a_pipe_none(logger: logging.Logger) -> None:
    text = f"study 37c1: base model embedded, 1 cell to fine-tune, {'/folder' * 10} and more of the same words again"
    shown = {screen: make_console(screen=screen) for screen in (True, False)}
    for screen, console in shown.items():
        console.width = 60
        print_text(text, console, indent=4)
        lines = written(console).splitlines()
        assert " ".join(line.strip() for line in lines) == text
        assert (len(lines) > 1) == screen
        assert not screen or all(len(line) <= 60 or "/folder" in line for line in lines)
    assert all(line.startswith("    ") for line in written(shown[True]).splitlines()[1:])


def test_a_query_that_is_broken_over_lines_is_one_word_of_a_shell() -> None:
    query = "SELECT cell_name, accuracy FROM leaderboard WHERE study_id = '37c1' AND part = 'test'"
    narrow = make_console(screen=True)
    narrow.width = 40
    print_text(f'  fintone sql "{query}"', narrow)
    assert written(narrow).count("\n") > 2
    assert [word.replace("\n", " ") for word in shlex.split(written(narrow))] == ["fintone", "sql", query]


def test_debug_shows_the_traceback_of_what_a_task_logs(logger: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    for is_on in (False, True):
        monkeypatch.setattr(debugging, "is_on", is_on)
        console = make_console(screen=False)
        logger.addHandler(handler := ProgressHandler(console))
        error = ValueError("a \x1b[31mbug")
        logger.error("Task run failed", exc_info=(type(error), error, None))
        logger.removeHandler(handler)
        assert ("ValueError: a \\x1b[31mbug" in written(console)) == is_on
        assert "\x1b" not in written(console)


def test_only_announced_lines_are_shown(logger: logging.Logger) -> None:
    console = make_console(screen=False)
    logger.addHandler(handler := ProgressHandler(console))
    logger.info("split: 900 train", extra={"fintone": {"text": "split: [900] train"}})
    logger.info("Finished in state Completed()")
    logger.removeHandler(handler)
    [line] = written(console).splitlines()
    assert line.split("  ", 1)[1] == "split: [900] train"


def test_without_a_screen_a_bar_is_an_occasional_line_and_one_at_its_end(logger: logging.Logger) -> None:
    console = make_console(screen=False)
    logger.addHandler(handler := ProgressHandler(console))
    logger.info("begin", extra={"fintone": {"text": "begin"}})
    for done in range(1, 101):
        progress(logger, done, 100)
    logger.removeHandler(handler)
    assert [line.split("  ", 1)[1] for line in written(console).splitlines()] == ["begin", "train, 100/100"]


def test_on_a_screen_progress_is_in_the_live_view_and_not_a_line(logger: logging.Logger) -> None:
    console = make_console(screen=True)
    logger.addHandler(handler := ProgressHandler(console))
    assert handler.screen
    with handler.screen:
        progress(logger, 1, 2, "train [red]")
        handler.screen.refresh()
        announce(logger, "3 of 4 cells done, about 0:07 left", left="0:07")
        announce(logger, "split: [900] train")
    logger.removeHandler(handler)
    assert "train [red]" in written(console)
    assert [line for line in LINES.findall(written(console)) if line] == ["split: [900] train"]


def test_a_dumb_terminal_gets_lines() -> None:
    assert ProgressHandler(Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})).screen is None


def test_prefects_own_lines_are_hidden_while_progress_is_shown_and_back_afterwards(logger: logging.Logger) -> None:
    import prefect.main  # noqa: F401 (sets up Prefect's logging)

    root, prefect_logger = logging.getLogger(), logging.getLogger("prefect")
    before = set(root.handlers), set(prefect_logger.handlers)
    console = make_console(screen=False)
    with show_progress(console):
        assert not any(type(handler).__name__ == "PrefectConsoleHandler" for handler in root.handlers)
        logger.info("split", extra={"fintone": {"text": "split"}})
    assert (set(root.handlers), set(prefect_logger.handlers)) == before
    assert written(console).count("split") == 1


BREAKING = """
import atexit

def break_off():
    raise RuntimeError("broken at exit")

atexit.register(break_off)
from cli.main import main
main()
"""
TINY_STUDY = [
    *("--epochs", "1", "--set", "grid.learning_rates=[0.001]", "--set", "baselines.names=[]"),
    *(word for part in ("train", "validation", "test") for word in ("--set", f"split.{part}_per_class=12")),
]


@pytest.mark.soak
def test_at_the_end_of_a_run_libraries_print_nothing_and_an_error_is_shown(tmp_path: Path) -> None:
    variables = {
        "FINTONE_HOME": str(tmp_path / "home"),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", BREAKING, "run", *TINY_STUDY]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    last, *end = done.stderr.splitlines()[-5:]
    assert "report: " in last
    assert end[0].startswith("Exception ignored in atexit callback")
    assert end[-1] == "RuntimeError: broken at exit"

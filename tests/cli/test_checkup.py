"""Doctor's checks, each in its own process: every one has a finding, and findings are shown as text or JSON."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from cli.doctor.checkup import GROUPS, examine
from cli.doctor.checkup_text import render_findings, render_json
from schemas.checkup import MEND_LIBRARIES, Finding

SICK = """
import os, sys, threading
from schemas.checkup import Finding
from schemas.errors import InputError

def well():
    return Finding("well", "ok", "fine")

def talk():
    print("a line for nobody")
    os.system("echo another; echo a third >&2")
    return Finding("talk", "ok", "fine")

def refuse():
    raise InputError("thing x: is wrong; not just so; mend it")

def blow_up():
    raise ValueError("http://user:secret@host\\nis not\\ngood")

def leave():
    sys.exit("the last word, with Bearer secret")

def crash():
    os.abort()

def hang():
    threading.Event().wait()
"""


@pytest.fixture
def sick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of checks that misbehave, on the path of new processes."""
    (tmp_path / "sick.py").write_text(SICK)
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{root}")


def check(*names: str) -> dict[str, str]:
    return {name: f"sick:{name}" for name in names}


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        ("refuse", "thing x: is wrong; not just so", "mend it"),
        ("blow_up", "the check failed: ValueError: http://***@host is not good", MEND_LIBRARIES),
        (
            "leave",
            "the check failed: its process ended with code 1; its last line: the last word, with Bearer ***",
            MEND_LIBRARIES,
        ),
        ("crash", "the check failed: its process ended by SIGABRT", MEND_LIBRARIES),
    ],
)
def test_a_check_that_fails_is_reported_in_one_line(sick: None, name: str, message: str, remedy: str) -> None:
    assert examine([check(name)]) == [Finding(name, "fail", message, remedy)]


@pytest.mark.slow
def test_a_check_that_hangs_is_ended(sick: None) -> None:
    [before, found] = examine([check("well", "hang")], time_limit=2)
    assert before == Finding("well", "ok", "fine")
    assert (found.state, found.message) == ("fail", "the check failed: its process did not end within 2 s")


def test_what_a_check_prints_is_not_taken_for_its_finding(sick: None) -> None:
    assert examine([check("talk")]) == [Finding("talk", "ok", "fine")]


def test_a_module_that_cannot_be_imported_fails_only_its_own_check(sick: None) -> None:
    found, after = examine([{"gone": "nowhere:check", **check("well")}])
    assert found.message == "the check failed: ModuleNotFoundError: No module named 'nowhere'"
    assert after.state == "ok"


def test_every_check_has_its_finding_in_order(sick: None) -> None:
    found = examine([check("well"), check("refuse", "crash", "talk", "well"), check("blow_up", "well")])
    assert [(each.subject, each.state) for each in found] == [
        ("well", "ok"),
        ("refuse", "fail"),
        ("crash", "fail"),
        ("talk", "fail"),
        ("well", "fail"),
        ("blow_up", "fail"),
        ("well", "ok"),
    ]
    assert found[3].message == "not checked: the check of crash failed"


def test_no_subject_occurs_twice() -> None:
    subjects = [subject for group in GROUPS for subject in group]
    assert len(set(subjects)) == len(subjects)


FOUND = [
    Finding("device", "note", "CPU: 2 cores; no GPU [not here]", "none is needed " * 6),
    Finding("home", "fail", f"/{'long' * 30}\x1b[31m cannot be written", "name another folder"),
    Finding("hub", "ok", "https://hub answers"),
]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_rows_fit_the_width_and_are_plain_in_a_pipe(width: int) -> None:
    text = render_findings(FOUND, Console(width=width, color_system=None, highlight=False))
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert not any(line.endswith(" ") for line in lines)
    assert text.isascii()
    assert "\x1b" not in text
    assert [line.split()[:2] for line in lines if line[0:1].strip()] == [
        ["note", "device"],
        ["fail", "home"],
        ["ok", "hub"],
        ["fix", "this"],
    ]
    assert "[not here]" in " ".join(text.split())
    assert "-> name another folder" in text
    assert lines[-1] == "fix this before a run: home"


def test_the_text_says_when_nothing_is_broken() -> None:
    text = render_findings(FOUND[::2], Console(width=80, color_system=None))
    assert text.endswith("\n\nnothing that a run needs is broken\n")


def test_json_has_every_finding() -> None:
    assert [Finding(**row) for row in json.loads(render_json(FOUND))] == FOUND

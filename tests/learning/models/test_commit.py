"""A training records the commit of the code that ran it."""

import json
import subprocess
from collections.abc import Iterator
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from learning.models import commit


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of code, with nothing cached of another one."""
    monkeypatch.setattr(commit, "_FOLDER", tmp_path)
    commit.find_commit.cache_clear()
    yield tmp_path
    commit.find_commit.cache_clear()


def test_a_checkout_has_its_commit_with_a_mark_if_files_differ(code: Path) -> None:
    def git(*words: str) -> None:
        command = ["git", "-C", str(code), "-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run([*command, *words], check=True, capture_output=True)

    git("init")
    (code / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "one")
    found = commit.find_commit()
    assert len(found) == 40
    (code / "file").write_text("two")
    commit.find_commit.cache_clear()
    assert commit.find_commit() == f"{found}+changed"


def test_an_installation_from_git_has_the_commit_that_pip_recorded(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = {"url": "https://example.org/fintone", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}
    with monkeypatch.context() as patch:
        patch.setattr(PathDistribution, "read_text", lambda *_: json.dumps(recorded))
        assert commit.find_commit() == "abc123"
        commit.find_commit.cache_clear()
        patch.setattr(PathDistribution, "read_text", lambda *_: None)
        assert commit.find_commit() == "unknown"

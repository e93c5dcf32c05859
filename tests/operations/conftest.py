"""Fixtures of several modules: a copy of the home with a trained cell, and a home with a new warehouse."""

import shutil
from pathlib import Path

import pytest

from schemas.plan import StudyPlan


@pytest.fixture
def trained_home(trained: tuple[Path, str, StudyPlan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the home with the trained cell."""
    shutil.copytree(trained[0], tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"

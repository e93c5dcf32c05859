"""The version is known wherever the code runs, installed or not."""

import tomllib
from importlib.metadata import PackageNotFoundError

import pytest

from schemas import version


def test_it_is_that_of_the_project_file_with_or_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(name: str) -> str:
        raise PackageNotFoundError(name)

    declared = tomllib.loads(version.PROJECT_FILE.read_text(encoding="utf-8"))["project"]["version"]
    assert version.find_version.__wrapped__() == declared
    monkeypatch.setattr(version, "version", find_nothing)
    assert version.find_version.__wrapped__() == declared

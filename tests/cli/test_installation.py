"""Installed packages are compared with what a package declares, from real metadata of made-up packages."""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from cli.doctor import installation
from cli.doctor.installation import check_extras, check_versions

Declare = Callable[..., None]


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Installs a package `desk-tools` with these lines of metadata, in place of fintone."""

    def install(*lines: str) -> None:
        folder = tmp_path / "desk_tools-1.0.dist-info"
        folder.mkdir()
        text = "\n".join(["Metadata-Version: 2.1", "Name: desk-tools", "Version: 1.0", *lines])
        (folder / "METADATA").write_text(f"{text}\n")
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        monkeypatch.setattr(installation, "PACKAGE", "desk-tools")

    return install


def test_this_installation_is_as_fintone_declares_it() -> None:
    found = check_versions()
    assert (found.state, found.remedy) == ("ok", "")
    assert f"torch {version('torch')}" in found.message


def test_missing_packages_and_wrong_versions_are_reported(declare: Declare) -> None:
    declare(
        "Requires-Dist: duckdb>=1",
        "Requires-Dist: numpy>=999",
        "Requires-Dist: no-such-library<2",
        "Requires-Dist: not-for-us; python_version < '3'",
        "Requires-Dist: rich<1; extra == 'colour'",
    )
    found = check_versions()
    assert found.state == "fail"
    assert found.message == f"numpy {version('numpy')} (needs >=999), no-such-library is missing (needs <2)"
    assert found.remedy == "pip install 'numpy>=999' 'no-such-library<2'"


def test_an_extra_that_is_not_installed_is_a_note(declare: Declare) -> None:
    declare(
        *(f"Provides-Extra: {extra}" for extra in ("dev", "far", "near")),
        "Requires-Dist: no-such-tool; extra == 'dev'",
        "Requires-Dist: no-such-library>=2; extra == 'far'",
        "Requires-Dist: rich>=1; extra == 'near'",
    )
    found = check_extras()
    assert found.state == "note"
    assert found.message == "far: no-such-library is missing (needs >=2); near: installed"
    assert found.remedy == "if you need one: pip install 'desk-tools[far]'"


def test_extras_that_are_installed_need_nothing(declare: Declare) -> None:
    declare("Provides-Extra: near", "Requires-Dist: rich>=1; extra == 'near'")
    assert (check_extras().state, check_extras().message, check_extras().remedy) == ("ok", "near: installed", "")

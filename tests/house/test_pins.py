"""The pins: exact, without builds or addresses, and one for each requirement of pyproject.toml."""

import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def pins(root: Path) -> dict[str, str]:
    """Canonical package name to version, in the order of the file."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def test_a_pin_is_a_plain_release(pins: dict[str, str]) -> None:
    assert {
        name: version for name, version in pins.items() if not re.fullmatch(r"[0-9]+([.b0-9]|\.post)*", version)
    } == {}


def test_every_requirement_is_pinned_to_a_version_that_it_allows(pins: dict[str, str], project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    lines = project["project"]["dependencies"] + [line for extra in extras.values() for line in extra]
    for requirement in map(Requirement, lines):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_the_installer_and_platform_packages_are_not_pinned(pins: dict[str, str]) -> None:
    assert [name for name in pins if name in {"pip", "setuptools", "triton"} or name.startswith("nvidia-")] == []

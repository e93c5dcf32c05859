"""Installed packages compared with those that fintone declares, from metadata only, so nothing is imported."""

import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement

from schemas.checkup import Finding

PACKAGE = "fintone"
LISTED = ("torch", "transformers", "peft", "trl", "bitsandbytes", "duckdb", "prefect")
"""The libraries whose versions people ask for first."""
DEVELOPMENT = "dev"


def check_versions() -> Finding:
    """Check that every library that fintone declares is installed, in a declared version."""
    wrong = _find_wrong(_iterate_requirements())
    if wrong:
        names = " ".join(f"'{need.name}{need.specifier}'" for need, _ in wrong)
        return Finding("versions", "fail", _describe_wrong(wrong), f"pip install {names}")
    libraries = ", ".join(f"{name} {find_version(name)}" for name in LISTED)
    versions = f"{PACKAGE} {version(PACKAGE)}, Python {platform.python_version()}, {libraries}"
    return Finding("versions", "ok", versions)


def check_extras() -> Finding:
    """Check which optional extras are installed, in declared versions."""
    extras = [extra for extra in metadata(PACKAGE).get_all("Provides-Extra") or [] if extra != DEVELOPMENT]
    lacks = {extra: _find_wrong(_iterate_requirements(extra)) for extra in extras}
    summary = "; ".join(f"{extra}: {_describe_wrong(lacks[extra]) or 'installed'}" for extra in extras)
    lacking = ",".join(extra for extra in extras if lacks[extra])
    if not lacking:
        return Finding("extras", "ok", summary)
    return Finding("extras", "note", summary, f"if you need one: pip install '{PACKAGE}[{lacking}]'")


def _find_wrong(requirements: Iterable[Requirement]) -> list[tuple[Requirement, str | None]]:
    """The requirements that are missing or have an unsuitable version, with the installed version."""
    found = [(requirement, find_version(requirement.name)) for requirement in requirements]
    return [
        (need, version)
        for need, version in found
        if version is None or not need.specifier.contains(version, prereleases=True)
    ]


def _describe_wrong(wrong: list[tuple[Requirement, str | None]]) -> str:
    return ", ".join(f"{need.name} {found or 'is missing'} (needs {need.specifier})" for need, found in wrong)


def find_version(name: str) -> str | None:
    """The installed version of a package; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _iterate_requirements(extra: str = "") -> Iterator[Requirement]:
    """Yield the requirements on this machine: those of the package, or those that only an extra has."""
    for requirement in map(Requirement, requires(PACKAGE) or []):
        if _is_needed(requirement, extra) and not (extra and _is_needed(requirement, "")):
            yield requirement


def _is_needed(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})

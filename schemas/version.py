"""The version of fintone that runs, also from a folder of its files that was never installed."""

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"


@cache
def find_version() -> str:
    """The version of the installation, else of the project file beside the code."""
    try:
        return version("fintone")
    except PackageNotFoundError:
        return str(tomllib.loads(PROJECT_FILE.read_text(encoding="utf-8"))["project"]["version"])

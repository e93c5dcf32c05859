"""The commit of fintone that runs: what git says of the folder of the code, or pip of what it installed from git."""

import json
import subprocess
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

UNKNOWN = "unknown"
_FOLDER = Path(__file__).parents[2]


@cache
def find_commit() -> str:
    """The commit, with `+changed` where files differ from it; `unknown` for a release or a copy of the files."""
    if not (_FOLDER / ".git").exists():
        return _find_installed()
    commit = _ask_git("rev-parse", "HEAD")
    if not commit:
        return UNKNOWN
    return f"{commit}+changed" if _ask_git("status", "-s", "-uno") else commit


def _find_installed() -> str:
    """The commit that pip noted when it installed fintone from a git repository (PEP 610)."""
    try:
        noted = Distribution.from_name("fintone").read_text("direct_url.json")
    except PackageNotFoundError:
        return UNKNOWN
    return str(json.loads(noted or "{}").get("vcs_info", {}).get("commit_id", UNKNOWN))


def _ask_git(*words: str) -> str:
    """What git says of the folder of the code; nothing where there is no git, or it refuses."""
    try:
        said = subprocess.run(  # noqa: S603 (our own words)
            ["git", "-C", str(_FOLDER), *words],  # noqa: S607 (the git of whoever runs it)
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""

"""The commit of fintone that runs, from git in the code's folder, or from pip's record of an install from git."""

import json
import subprocess
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

UNKNOWN = "unknown"
_FOLDER = Path(__file__).parents[2]


@cache
def find_commit() -> str:
    """The commit, with `+changed` if files differ from it; `unknown` for a release or a copy of the files."""
    if not (_FOLDER / ".git").exists():
        return _find_installed()
    commit = _run_git("rev-parse", "HEAD")
    if not commit:
        return UNKNOWN
    return f"{commit}+changed" if _run_git("status", "-s", "-uno") else commit


def _find_installed() -> str:
    """The commit that pip recorded when it installed fintone from a git repository (PEP 610)."""
    try:
        record = Distribution.from_name("fintone").read_text("direct_url.json")
    except PackageNotFoundError:
        return UNKNOWN
    return str(json.loads(record or "{}").get("vcs_info", {}).get("commit_id", UNKNOWN))


def _run_git(*words: str) -> str:
    """The output of a git command in the code's folder; empty if there is no git, or it fails."""
    try:
        result = subprocess.run(  # noqa: S603 (our own words)
            ["git", "-C", str(_FOLDER), *words],  # noqa: S607 (the git of whoever runs it)
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""

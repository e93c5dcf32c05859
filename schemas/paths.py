"""Paths that a person gives."""

from pathlib import Path

from schemas.errors import InputError
from schemas.listing import show


def local_path(thing: str, text: str) -> Path:
    """The path of a file or folder that may or may not exist, with `~` opened.

    Args:
        thing: What the path should name, for the error.
        text: The path as it was given.

    Raises:
        InputError: The system refuses to look: the path is too long, `~` names no user, or a folder may not be read.
    """
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise InputError(f"{thing} {show(text)} cannot be read ({reason}): check its path and permissions") from error
    return path


def describe_place(text: str, path: Path) -> str:
    """Where a path was looked for, for an error: the current folder if it is relative, or the path that `~` gives.

    Args:
        text: The path as it was given.
        path: From `local_path`.
    """
    if text.startswith("~"):
        return f" as {path}"
    return "" if path.is_absolute() else f" in {Path.cwd()}"

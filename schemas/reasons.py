"""The messages of libraries' errors, shortened for our one-line messages."""

from schemas.listing import cut
from schemas.redaction import redact

_SHOWN_CHARACTERS = 160


def first_line(error: Exception) -> str:
    """The first line of a library's message; the first two where the first one ends in a colon."""
    if isinstance(error, KeyError):
        return f"{type(error).__name__} {error}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return " ".join(lines[: 2 if lines[0].endswith(":") else 1]).rstrip(".")


def describe_reason(error: Exception) -> str:
    """The first line of an error without what is secret in it, cut when long."""
    return cut(redact(" ".join(first_line(error).split())), _SHOWN_CHARACTERS)

"""Findings of checks of the machine and the set-up: made by several packages, collected by `fintone doctor`."""

from dataclasses import dataclass
from typing import Literal

from schemas.errors import FailureError, InputError
from schemas.redaction import redact

State = Literal["ok", "note", "fail"]
"""`ok`: it works. `note`: a run works without it, or less well. `fail`: a run needs it, and it is broken."""

MEND_LIBRARIES = "install fintone and its libraries again; if that changes nothing, report this line"
"""The remedy where the check itself failed unexpectedly."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    subject: str
    """What was checked, in a word."""
    state: State
    message: str
    """What works and what does not."""
    remedy: str = ""
    """What to do about what does not work; empty where there is nothing to do."""


def find_failure(subject: str, error: Exception) -> Finding:
    """The finding where a check raised: our own errors hold the problem and, after the last semicolon, the remedy."""
    text = " ".join(redact(str(error)).split())
    if isinstance(error, InputError | FailureError):
        problem, _, remedy = text.rpartition("; ")
        return Finding(subject, "fail", problem or remedy, remedy if problem else "")
    return Finding(subject, "fail", f"the check failed: {type(error).__name__}: {text}", MEND_LIBRARIES)

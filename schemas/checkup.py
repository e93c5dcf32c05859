"""What a check of the machine or of the set-up found: looked for by several rooms, put together and told by flows."""

from dataclasses import dataclass
from typing import Literal

from schemas.errors import FailureError, InputError
from schemas.redaction import redact

State = Literal["ok", "note", "fail"]
"""It works; a run goes without it or less well; or a run needs it and it is broken."""

MEND_LIBRARIES = "install fintone and its libraries again; if that changes nothing, report this line"
"""The remedy where a check itself failed, which nobody foresaw."""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    subject: str
    """What was looked at, in a word."""
    state: State
    told: str
    """What works and what does not."""
    remedy: str = ""
    """What to do about that which does not; empty where there is nothing to do."""


def find_failure(subject: str, error: Exception) -> Finding:
    """What is found where a check raised: an error of ours says what and, after its last semicolon, the remedy."""
    text = " ".join(redact(str(error)).split())
    if isinstance(error, InputError | FailureError):
        told, _, remedy = text.rpartition("; ")
        return Finding(subject, "fail", told or remedy, remedy if told else "")
    return Finding(subject, "fail", f"the check failed: {type(error).__name__}: {text}", MEND_LIBRARIES)

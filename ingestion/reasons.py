"""The message of a library's error, shortened to fit into our one-line errors."""

from schemas.redaction import redact

_SHOWN_CHARACTERS = 160


def describe_reason(error: Exception) -> str:
    """The error's message on one line, cut when long, or the name of its kind when it has none."""
    message = redact(" ".join(str(error).split())) or type(error).__name__
    return message if len(message) <= _SHOWN_CHARACTERS else f"{message[:_SHOWN_CHARACTERS]}..."

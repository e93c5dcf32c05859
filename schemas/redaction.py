"""Text that may be shown: addresses without credentials, messages without tokens."""

import os
import re
from urllib.parse import urlsplit

HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Environment variables from which the hub's client takes its token; the first has precedence."""
SECRETS = (*HUB_TOKENS, "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING")
"""Environment variables of the libraries that hold a secret."""
TOKEN = re.compile(r"\b(hf|pnu|pnb)_[A-Za-z0-9]{20,}")
"""Tokens in the form of the hub and of Prefect Cloud; one may also come from a file."""
CREDENTIALS = re.compile(r"://\S*@")
HEADER = re.compile(r"\b(Bearer|Basic) [^\s'\"]+")
"""The authorization of a request; a library repeats a whole header that it cannot send."""
HIDDEN = "***"


def redact(text: str) -> str:
    """Hide what is secret in a text, such as a library's message that repeats an address."""
    for name in SECRETS:
        if os.environ.get(name):
            text = text.replace(os.environ[name], HIDDEN)
    text = HEADER.sub(rf"\1 {HIDDEN}", TOKEN.sub(HIDDEN, text))
    return CREDENTIALS.sub(f"://{HIDDEN}@", text)


def show_address(address: str) -> str | None:
    """An http address as scheme, host, port and path, without what may be secret; None where it is no such address."""
    try:
        parts = urlsplit(address.strip())
        _ = parts.port
    except ValueError:  # its text repeats a part of the address, which may be a password
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return f"{parts.scheme}://{(parts.netloc + parts.path).rpartition('@')[2]}"

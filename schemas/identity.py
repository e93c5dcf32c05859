"""Content addresses: equal values have equal ids, on every machine and in every run."""

import hashlib
import json
from typing import Any


def content_id(value: Any) -> str:
    """Twelve hexadecimal characters of the SHA-256 of the value as canonical JSON.

    Args:
        value: Any JSON value; the order of a mapping's keys does not matter.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return short_hash(text, 12)


def short_hash(text: str, digits: int) -> str:
    """The first hexadecimal digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]

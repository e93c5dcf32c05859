"""When two headlines are the same, and the ids that follow from it: 16 hexadecimal characters of a SHA-256 each."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable

from schemas.config import DataSettings


def normalise_text(text: str) -> str:
    """The text by which headlines are compared: Unicode NFC, runs of white space as one space.

    NFC and not NFKC, which would make `10²` the same as `102`.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def headline_id(normalised_text: str, label: str, occurrence: int = 1) -> str:
    """The id of a headline; where copies are kept, each after the first has its occurrence number in it."""
    number = [] if occurrence == 1 else [str(occurrence)]
    return _short_hash("\n".join([normalised_text, label, *number]))


def snapshot_id(headline_ids: Iterable[str]) -> str:
    """The id of a set of headlines, given in an order that the caller fixes."""
    return _short_hash("\n".join(headline_ids))


def ingest_id(sha256: str, settings: DataSettings) -> str:
    """The id of reading these bytes with these settings, wherever they lie and however many rows may be rejected."""
    rules = settings.model_dump(mode="json", exclude={"source", "max_rejected"})
    return _short_hash(json.dumps([sha256, rules], sort_keys=True))


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

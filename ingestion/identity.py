"""When two headlines are the same, and the ids that follow from it: 16 hexadecimal characters of a SHA-256 each."""

import json
import unicodedata
from collections.abc import Iterable

from schemas.columns import ReadColumns
from schemas.identity import short_hash
from schemas.source import DataSettings

INGESTION_VERSION = 3
"""Raised when the same bytes and settings would give other headlines, reasons or groups."""


def normalise_text(text: str) -> str:
    """The text by which headlines are compared: Unicode NFC, runs of white space as one space.

    NFC and not NFKC, which would make `10²` the same as `102`.
    """
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def text_id(text: str) -> str:
    """The id of a text, normalised or masked."""
    return _own_hash(text)


def headline_id(text: str, label: str, occurrence: int = 1) -> str:
    """The id of a stored headline; a kept copy after the first has its occurrence number in it."""
    return _own_hash(f"{text}\n{label}" if occurrence == 1 else f"{text}\n{label}\n{occurrence}")


def snapshot_id(headline_ids: Iterable[str], near_duplicates: str) -> str:
    """The id of a set of headlines, given in an order that the caller fixes, and of the measure that groups them."""
    return _own_hash("\n".join([f"{near_duplicates} {INGESTION_VERSION}", *headline_ids]))


def describe_reading(settings: DataSettings, columns: ReadColumns) -> str:
    """The settings that decide which texts and labels a source yields, as JSON; equal JSON means equal readings."""
    rules = settings.model_dump(mode="json", include={"label_map", "agreement", "duplicates", "conflicts"})
    return json.dumps({**rules, "text_column": columns.text, "label_column": columns.label}, sort_keys=True)


def ingest_id(sha256: str, settings: DataSettings) -> str:
    """The id of reading these bytes with these settings, whatever their path and the bound on rejected rows."""
    rules = settings.model_dump(mode="json", exclude={"source", "max_rejected"})
    return _own_hash(json.dumps([sha256, rules, INGESTION_VERSION], sort_keys=True))


def _own_hash(text: str) -> str:
    return short_hash(text, 16)

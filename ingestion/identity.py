"""When two headlines are the same, and the ids that follow from it: 16 hexadecimal characters of a SHA-256 each."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.columns import ReadColumns
from schemas.identity import short_hash
from schemas.source import DataSettings

GROUPING_VERSION = 3
"""Raised when the same headlines would get other ids or groups: every snapshot then has another id."""
READING_VERSION = 6
"""Raised when the same bytes and settings would give other headlines or reasons: every source is then read again.

A source that a version in `UNDATED_VERSIONS` read is an exception.
"""
UNDATED_VERSIONS = (4, 3)
"""Versions that left out dates, instruments and other columns. What one of them read is read again only on request."""
_SINCE_DATED = (
    *("published_at_column", "instrument_column", "publisher_column", "context_column", "timezone", "date_order"),
    "identity",
)
_ADDED = ("label_columns", "thresholds", "split_column", *_SINCE_DATED)
"""Settings of later versions; at their defaults they are not hashed or compared, so that ids stay the same."""


def normalise_text(text: str) -> str:
    """The text by which headlines are compared: Unicode NFC, runs of white space as one space.

    NFC and not NFKC, which would make `10²` the same as `102`.
    """
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def text_id(text: str) -> str:
    """The id of a text, normalised or masked."""
    return _hash(text)


def headline_id(text: str, label: str, occurrence: int = 1, about: str = "") -> str:
    """The id of a stored headline; the id of a kept copy after the first includes its occurrence number.

    `about` distinguishes it from headlines with the same text, such as by its instrument; see `describe_subjects`.
    """
    return _hash("\n".join([text, label, *([about] if about else []), *([] if occurrence == 1 else [str(occurrence)])]))


def snapshot_id(headline_ids: Iterable[str], near_duplicates: str) -> str:
    """The id of a set of headlines, given in an order that the caller fixes, and of the measure that groups them."""
    return _hash("\n".join([f"{near_duplicates} {GROUPING_VERSION}", *headline_ids]))


def describe_reading(settings: DataSettings, columns: ReadColumns) -> str:
    """The settings that decide which texts and labels a source yields, as JSON; equal JSON means equal readings."""
    rules = settings.model_dump(mode="json", include={"label_map", "agreement", "duplicates", "conflicts"})
    rules |= {
        name: value
        for name, value in list_added(settings).items()
        if name in {"thresholds", "identity", "context_column"}
    }
    return json.dumps({**rules, "text_column": columns.text, "label_column": columns.label}, sort_keys=True)


def describe_remembered(settings: DataSettings) -> str:
    """The settings that were given for a source, as JSON; equal JSON means equal settings."""
    return json.dumps(settings.remembered, sort_keys=True)


def ingest_id(sha256: str, settings: DataSettings, named: Sequence[str] = ()) -> str:
    """The id of reading these bytes with these settings, whatever their path and the bound on rejected rows.

    `named` has what the names of the files say of their rows, if any does: another name is another reading.
    """
    return _hash_reading(sha256, settings, list_added(settings), READING_VERSION, named)


def earlier_ingest_ids(sha256: str, settings: DataSettings) -> list[str]:
    """The ids that versions without dates gave to reading these bytes with these settings; old homes keep those ids.

    Empty if a setting concerns what those versions left out. They distinguished headlines by their text only, whatever
    `identity` was.
    """
    added = list_added(settings)
    if set(added) & set(_SINCE_DATED) - {"identity"}:
        return []
    known = {name: value for name, value in added.items() if name != "identity"}
    return [_hash_reading(sha256, settings, known, version) for version in UNDATED_VERSIONS]


def list_added(settings: DataSettings) -> dict[str, Any]:
    """The settings of later versions that are not at their defaults."""
    return settings.model_dump(mode="json", include=set(_ADDED), exclude_defaults=True)


def _hash_reading(
    sha256: str, settings: DataSettings, added: Mapping[str, Any], version: int, named: Sequence[str] = ()
) -> str:
    rules = settings.model_dump(mode="json", exclude={"source", "max_rejected", "too_long", *_ADDED})
    return _hash(json.dumps([sha256, {**rules, **added}, version, *named], sort_keys=True))


def _hash(text: str) -> str:
    return short_hash(text, 16)

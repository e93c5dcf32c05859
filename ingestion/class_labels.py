"""Hugging Face's class labels: numbers whose names are in the data set's features."""

import json
from collections.abc import Sequence
from typing import Any

from ingestion.labels import LabelWords

METADATA_KEY = b"huggingface"
"""The key under which the library `datasets` stores the features of a table in the metadata of its schema."""


def find_class_names(metadata: dict[bytes, bytes] | None) -> dict[str, Sequence[str]]:
    """The names of the classes of each column that has any, from a schema's metadata; empty if that cannot be read."""
    try:
        features = json.loads((metadata or {}).get(METADATA_KEY, b"{}"))["info"]["features"]
        return {
            column: feature["names"]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and _are_names(feature.get("names"))
        }
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return {}


def class_word(number: Any, names: Sequence[str], words: LabelWords) -> Any:
    """The name of a class; None for -1, which is how a row without a label is written.

    A number that the label map names, or that is not a class, is returned unchanged.
    """
    if not isinstance(number, int) or words.knows(str(number)) or number >= len(names):
        return number
    return names[number] if number >= 0 else None


def _are_names(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)

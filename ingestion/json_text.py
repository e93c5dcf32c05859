"""Decodes JSON with numbers of any length, and bounds the values that are held at once."""

import json

_MOST_DIGITS = 4_000
"""Python refuses JSON with a whole number of many more digits."""


def _make_number(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


MOST_VALUES = 50_000_000
"""Most values that are held at once, counted by the commas, brackets and braces of their text."""


def holds_too_many(text: str) -> bool:
    """Whether a text may hold more values than are held at once."""
    return len(text) > MOST_VALUES and sum(map(text.count, ",[{")) > MOST_VALUES


DECODER = json.JSONDecoder(parse_int=_make_number)

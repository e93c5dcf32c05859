"""How JSON is decoded, whatever it holds."""

import json

_MOST_DIGITS = 4_000
"""Python refuses JSON with a whole number of many more digits."""


def _make_number(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


DECODER = json.JSONDecoder(parse_int=_make_number)

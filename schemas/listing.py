"""Formats counts, values and lists of names in a line."""

from collections.abc import Sequence

MOST_NAMES = 5
MOST_CHARACTERS = 200


def list_some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def count(number: int, noun: str, plural: str = "") -> str:
    """A number of things: `1 group`, `2,000 groups`; `plural` where the noun takes more than an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def cut(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text, cut when it has more than `most` characters."""
    return text if len(text) <= most else f"{text[:most]}..."


def show(value: object) -> str:
    """A value of any kind as Python writes it, cut when long."""
    try:
        return cut(repr(value))
    except ValueError:  # Python writes no number of thousands of digits
        return "a number of thousands of digits"


def join_numbers(values: Sequence[float]) -> str:
    """Values as a list, or as `1 to 13` where they are three or more in a row."""
    if len(values) > 2 and list(values) == list(range(int(values[0]), int(values[0]) + len(values))):  # noqa: PLR2004
        return f"{values[0]} to {values[-1]}"
    return ", ".join(f"{value:g}" for value in values)

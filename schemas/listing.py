"""How a list of names is told in a line."""

from collections.abc import Sequence

MOST_NAMES = 5


def list_some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")

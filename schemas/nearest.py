"""The known name that is nearest to one that a person mistyped."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

LEAST_LIKENESS = 0.6
"""Least likeness of a name that is suggested, as `difflib` measures it: 1 is the same, 0 has no letter in common."""


def find_nearest(word: str, known: Iterable[str], least: float = LEAST_LIKENESS) -> str | None:
    """The known name that is most like a word, case ignored; None if no likeness reaches the least one."""
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=least)
    return folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question for the nearest known name, as `, did you mean 'desk'?`; empty if none is near."""
    return describe_nearest(find_nearest(word, known))


def describe_nearest(near: str | None) -> str:
    """A question whether a name is meant, as `, did you mean 'desk'?`; empty for None."""
    return "" if near is None else f", did you mean {near!r}?"


def did_you_mean_path(text: str, *others: str) -> str:
    """A question for the file or folder nearest to a path that does not exist, or for a word that stands for one.

    Args:
        text: The path as a person gave it.
        others: Words that are allowed in place of a path.
    """
    path = Path(text)
    try:
        beside = [str(path.parent / entry.name) for entry in path.expanduser().parent.iterdir()]
    except (OSError, RuntimeError, ValueError):
        beside = []
    return did_you_mean(text, [*beside, *others])

"""The parts of an official split: words in a column, and names of files as data sets of the hub have them."""

import re
from pathlib import PurePosixPath

from schemas.frames import SPLIT_PARTS

_WORDS = {
    **{part: part for part in SPLIT_PARTS},
    "training": "train",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "testing": "test",
}
_SEPARATORS = re.compile(r"[^a-z]+")


def resolve_part(word: str) -> str:
    """The part that a word means, case ignored, or the word itself without padding."""
    return _WORDS.get(word.strip().casefold(), word.strip())


def part_of_file(name: str) -> str | None:
    """The part that a file's path in its folder or zip names; None where it names none, or several.

    A word of the file's own name counts before one of a folder, as in `data/train-00000-of-00002.parquet`.
    """
    for piece in reversed(PurePosixPath(name).parts):
        named = {_WORDS[word] for word in _SEPARATORS.split(piece.casefold()) if word in _WORDS}
        if named:
            return named.pop() if len(named) == 1 else None
    return None

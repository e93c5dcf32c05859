"""`--label-map`: the words of a source to labels, as YAML or JSON, in a file or in the line."""

from pathlib import Path

from schemas.errors import InputError
from schemas.small_file import read_small_text
from schemas.yaml_text import YamlTextError, read_yaml

_WANTED = "lines as in up: positive"


def read_label_map(told: str, called: str = "--label-map") -> dict[str, str]:
    """Read `word: label` pairs; every word stays as it is written, `0`, `no` and `on` too.

    Args:
        told: The path of a file, or the pairs themselves in braces.
        called: How it was named, for the error.

    Raises:
        InputError: The file cannot be read, or holds anything else, or a word twice.
    """
    try:
        is_file = not told.startswith("{")
        text = read_small_text(called, Path(told).expanduser(), _WANTED) if is_file else told
        words = read_yaml(text, as_words=True)
    except YamlTextError as error:
        raise InputError(f"{called} {told}: {error}; write {_WANTED}") from error
    if not isinstance(words, dict) or not words or not all(isinstance(label, str) for label in words.values()):
        raise InputError(f"{called} {told}: no list of words and labels; write {_WANTED}")
    return words

"""`--label-map`: the words of a source to labels, as YAML or JSON, in a file or in the line."""

from pathlib import Path

from schemas.errors import InputError
from schemas.small_file import read_small_text
from schemas.yaml_text import YamlTextError, read_yaml

_WANTED = "lines as in up: positive"


def read_label_map(file: Path, called: str = "--label-map") -> dict[str, str]:
    """Read `word: label` pairs; every word stays as it is written, `0`, `no` and `on` too.

    Args:
        file: The file, or the pairs themselves in braces.
        called: How it was named, for the error.

    Raises:
        InputError: The file cannot be read, or holds anything else, or a word twice.
    """
    try:
        told = str(file)
        text = told if told.startswith("{") else read_small_text(called, file, _WANTED)
        words = read_yaml(text, as_words=True)
    except YamlTextError as error:
        raise InputError(f"{called} {file}: {error}; write {_WANTED}") from error
    if not isinstance(words, dict) or not words or not all(isinstance(label, str) for label in words.values()):
        raise InputError(f"{called} {file}: no list of words and labels; write {_WANTED}")
    return words

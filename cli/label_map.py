"""`--label-map`: label words of a source and their labels, as YAML or JSON, in a file or on the command line."""

from pathlib import Path

from schemas.errors import InputError
from schemas.small_file import read_small_text
from schemas.yaml_text import YamlTextError, read_yaml

_EXPECTED = "lines as in up: positive"


def read_label_map(source: str, name: str = "--label-map") -> dict[str, str]:
    """Read `word: label` pairs; words stay as they are written, including `0`, `no` and `on`.

    Args:
        source: The path of a file, or the pairs themselves in braces.
        name: The option or setting, for error messages.

    Raises:
        InputError: The file cannot be read, has other content, or has a word twice.
    """
    try:
        is_file = not source.startswith("{")
        text = read_small_text(name, Path(source).expanduser(), _EXPECTED) if is_file else source
        words = read_yaml(text, as_words=True)
    except YamlTextError as error:
        raise InputError(f"{name} {source}: {error}; write {_EXPECTED}") from error
    if not isinstance(words, dict) or not words or not all(isinstance(label, str) for label in words.values()):
        raise InputError(f"{name} {source}: not a mapping of words to labels; write {_EXPECTED}")
    return words

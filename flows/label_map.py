"""The file of `--label-map`: the words of a source to labels, as YAML or JSON. Judges no label."""

from pathlib import Path

import yaml

from schemas.errors import InputError


def read_label_map(file: Path) -> dict[str, str]:
    """Read a file of `word: label`; every word stays as it is written, `0`, `no` and `on` too.

    Raises:
        InputError: The file cannot be read, or holds anything else.
    """
    try:
        words = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 (it makes text alone)
    except OSError as error:
        raise InputError(f"--label-map {file}: cannot be read ({error.strerror}); check its path") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"--label-map {file}: no valid YAML or JSON; write lines as in up: positive") from error
    if not isinstance(words, dict) or not words or not all(isinstance(label, str) for label in words.values()):
        raise InputError(f"--label-map {file}: no list of words and labels; write lines as in up: positive")
    return words

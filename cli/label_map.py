"""The file of `--label-map`: the words of a source to labels, as YAML or JSON."""

import stat
from pathlib import Path

from schemas.errors import InputError
from schemas.yaml_text import MOST_CHARACTERS, YamlTextError, read_yaml

_MOST_BYTES = 4 * MOST_CHARACTERS


def read_label_map(file: Path) -> dict[str, str]:
    """Read a file of `word: label`; every word stays as it is written, `0`, `no` and `on` too.

    Raises:
        InputError: The file cannot be read, or holds anything else, or a word twice.
    """
    try:
        words = read_yaml(_read_text(file), as_words=True)
    except OSError as error:
        raise InputError(f"--label-map {file}: cannot be read ({error.strerror}); check its path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--label-map {file}: no text in UTF-8; save it as UTF-8") from error
    except YamlTextError as error:
        raise InputError(f"--label-map {file}: {error}; write lines as in up: positive") from error
    if not isinstance(words, dict) or not words or not all(isinstance(label, str) for label in words.values()):
        raise InputError(f"--label-map {file}: no list of words and labels; write lines as in up: positive")
    return words


def _read_text(file: Path) -> str:
    """The text of a regular file; any other could be without end.

    Raises:
        InputError: It is not one, or is larger than any label map.
    """
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"--label-map {file}: is not a regular file; give a file of lines as in up: positive")
    if status.st_size > _MOST_BYTES:
        raise InputError(
            f"--label-map {file}: has {status.st_size:,} bytes, more than the {_MOST_BYTES:,} that are read; "
            "give a file of lines as in up: positive"
        )
    return file.read_text(encoding="utf-8")

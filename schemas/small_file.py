"""Small text files that a person names on the command line: read whole, within bounds."""

import stat
from pathlib import Path

from schemas.errors import InputError
from schemas.yaml_text import MOST_CHARACTERS

_MOST_BYTES = 4 * MOST_CHARACTERS


def read_small_text(called: str, file: Path, wanted: str) -> str:
    """The text of a regular file; any other kind could be endless.

    Args:
        called: How the command line names such a file, for the error, as in `--label-map`.
        file: The file.
        wanted: What the file should hold, for the error, as in `lines as in up: positive`.

    Raises:
        InputError: It is not there, not a regular file, too large, or not UTF-8.
    """
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{called} {file}: is not a regular file; give a file of {wanted}")
        if status.st_size > _MOST_BYTES:
            raise InputError(
                f"{called} {file}: has {status.st_size:,} bytes, more than the {_MOST_BYTES:,} that are read; "
                f"give a file of {wanted}"
            )
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{called} {file}: cannot be read ({error.strerror}); check its path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{called} {file}: no text in UTF-8; save it as UTF-8") from error

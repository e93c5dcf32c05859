"""Writes models; a disk that refuses is an error of the system, as with any other file."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from learning.models.quiet import quiet_libraries
from schemas.files import appearing_folder


def save_fine_tune(model: Any, folder: Path) -> None:
    """Write the adapter, or all weights, to `folder`, which appears complete or not at all.

    PEFT's empty model card is left out: the folder has the same files as an adapter that is copied from a checkpoint.

    Raises:
        OSError: The disk refuses it.
    """
    with appearing_folder(folder, replace=True) as unfinished:
        save_pretrained(model, unfinished)
        (unfinished / "README.md").unlink(missing_ok=True)


def save_pretrained(model: Any, folder: Path) -> None:
    """Write a model to a folder in the form of transformers, or an adapter in that of PEFT.

    Raises:
        OSError: The disk refuses it.
    """
    with quiet_libraries(), _as_system_error():
        model.save_pretrained(str(folder))


@contextmanager
def _as_system_error() -> Iterator[None]:
    """Turn an error of safetensors that the system caused, which gives its number as text, into that of the system."""
    try:
        yield
    except SafetensorError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error

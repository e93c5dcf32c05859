"""A fine-tune on disk, of whichever kind its model is."""

from pathlib import Path
from typing import NamedTuple


class FineTune(NamedTuple):
    """The folder of a fine-tune, and which files it must hold."""

    folder: Path
    files_hash: str | None = None
    """The hash that its files must have whenever it is loaded; any when None."""

"""Tensors in safetensors files: the name, shape and place of each, and whether its numbers are finite.

Reads the files without torch, so a preview of a study can check a model.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from learning.models.model_files import AGAIN, ModelFiles

LENGTH_BYTES = 8
"""Bytes of the header's length at the beginning of a file, little-endian."""
EXPONENTS = {"F16": ("<u2", 0x7C00), "BF16": ("<u2", 0x7F80), "F32": ("<u4", 0x7F800000), "F64": ("<u8", 0x7FF << 52)}
"""Each float type as unsigned integers, with its exponent's bits: only NaN and infinity have all of them set."""
CHUNK_BYTES = 32 * 2**20
MASKS = "mask"
"""Tensors with this in their name may hold infinities by design."""


@dataclass(frozen=True)
class StoredTensor:
    """One tensor in a file."""

    name: str
    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    """Its first byte, from the beginning of the file."""
    size: int
    """Bytes."""

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


def read_tensors(files: ModelFiles) -> list[StoredTensor]:
    """Read the headers of a model's weights.

    Raises:
        ModelFilesError: A file is truncated or damaged, or holds no tensor.
    """
    tensors = [tensor for file in files.weights for tensor in _read_header(files, file)]
    if not tensors:
        raise files.refuse(f"its *.safetensors hold no weights; {AGAIN}")
    return tensors


def find_not_finite(tensors: Sequence[StoredTensor], seconds: float | None = None) -> StoredTensor | None:
    """The first tensor with a NaN or an infinity in it; None if there is none.

    Args:
        tensors: The tensors of a model; integers and masks are skipped.
        seconds: Time limit, after which the rest is assumed to be finite; no limit when None.
    """
    import numpy as np

    until = None if seconds is None else time.monotonic() + seconds
    for tensor in tensors:
        if tensor.dtype not in EXPONENTS or not tensor.elements or MASKS in tensor.name:
            continue
        kind, exponent = EXPONENTS[tensor.dtype]
        bits = np.memmap(tensor.file, kind, "r", offset=tensor.start, shape=(tensor.elements,))
        step = CHUNK_BYTES // bits.itemsize
        for first in range(0, len(bits), step):
            if until is not None and time.monotonic() > until:
                return None
            if (bits[first : first + step] & np.array(exponent, kind)).max() == exponent:
                return tensor
    return None


def _read_header(files: ModelFiles, file: Path) -> list[StoredTensor]:
    from safetensors import SafetensorError, safe_open

    name = file.relative_to(files.folder)
    try:
        with safe_open(file, framework="numpy"):  # it checks that header and size agree
            pass
    except (SafetensorError, OSError) as error:
        raise files.refuse(f"cannot be loaded ({name} is truncated or damaged: {error}); {AGAIN}") from error
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        header = json.loads(stream.read(length))
    data = LENGTH_BYTES + length
    return [
        StoredTensor(tensor, file, entry["dtype"], tuple(entry["shape"]), data + begin, end - begin)
        for tensor, entry in header.items()
        if tensor != "__metadata__"
        for begin, end in [entry["data_offsets"]]
    ]

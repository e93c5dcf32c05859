"""Single files packed by gzip, bzip2, xz or zstandard, unpacked in memory, piece by piece and within bounds."""

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ingestion import bounds
from schemas.errors import InputError
from schemas.reasons import describe_reason

_PIECE = 1 << 20
_BROKEN = (zlib.error, lzma.LZMAError, EOFError, ValueError, OSError)


class PackedError(InputError):
    """A packed file is broken, expands to too much, or holds what is packed again."""


class Packer(NamedTuple):
    """A program that packs one file: its name, how what it packs begins, and how that is opened."""

    name: str
    start: re.Pattern[bytes]
    open: Callable[[bytes], Any]


def _open_zstandard(content: bytes) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.BufferReader(content), "zstd")


_PACKERS = (
    Packer("gzip", re.compile(rb"\x1f\x8b"), lambda content: gzip.GzipFile(fileobj=io.BytesIO(content))),
    Packer("bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), lambda content: bz2.BZ2File(io.BytesIO(content))),
    Packer("xz", re.compile(rb"\xfd7zXZ\x00"), lambda content: lzma.open(io.BytesIO(content))),  # noqa: SIM115
    Packer("zstandard", re.compile(rb"\x28\xb5\x2f\xfd"), _open_zstandard),
)


def find_packer(content: bytes) -> Packer | None:
    """The program that packed the bytes; None for those that are not packed."""
    return next((packer for packer in _PACKERS if packer.start.match(content)), None)


def unpack(content: bytes, packer: Packer, source: str) -> bytes:
    """The bytes that were packed. Reading stops as soon as they exceed the bound for the size of the file.

    Raises:
        PackedError: If the file is broken or expands to too much.
    """
    most, unpacked = bounds.most_unpacked(len(content)), io.BytesIO()
    try:
        with packer.open(content) as stream:
            while unpacked.tell() <= most and (piece := stream.read(_PIECE)):
                unpacked.write(piece)
    except _BROKEN as error:
        raise PackedError(
            f"source {source!r} is packed by {packer.name} and cannot be unpacked ({describe_reason(error)}): "
            "get it again"
        ) from None
    if unpacked.tell() > most:
        raise PackedError(
            f"source {source!r} would unpack from {len(content):,} bytes to more than {most:,}, over "
            f"{bounds.describe_unpacked()}: if you trust it, unpack it yourself and give the file"
        )
    return unpacked.getvalue()

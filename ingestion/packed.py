"""Unpacks gzip, bzip2, xz and zstandard: a file in memory and within bounds, a stream as it arrives."""

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable
from typing import IO, Any, NamedTuple, cast

from ingestion import bounds
from schemas.errors import InputError
from schemas.reasons import describe_reason

_PIECE = 1 << 20
_STREAM_PIECE = 1 << 13
"""Bytes for which zstandard waits in a stream; the others return what has arrived."""
_BROKEN = (zlib.error, lzma.LZMAError, EOFError, ValueError, OSError)


class PackedError(InputError):
    """A packed file is broken, expands to too much, or has packed content in it."""


class Packer(NamedTuple):
    """A program that packs one file: its name, how a packed file begins, and how a packed stream is opened."""

    name: str
    start: re.Pattern[bytes]
    open: Callable[[IO[bytes]], Any]


def _open_zstandard(packed: IO[bytes]) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd")


_PACKERS = (
    Packer("gzip", re.compile(rb"\x1f\x8b"), lambda packed: gzip.GzipFile(fileobj=packed)),
    Packer("bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2File),
    Packer("xz", re.compile(rb"\xfd7zXZ\x00"), lzma.LZMAFile),
    Packer("zstandard", re.compile(rb"\x28\xb5\x2f\xfd"), _open_zstandard),
)


def find_packer(content: bytes) -> Packer | None:
    """The program that packed the bytes; None if they are not packed."""
    return next((packer for packer in _PACKERS if packer.start.match(content)), None)


def unpack(content: bytes, packer: Packer, source: str) -> bytes:
    """The bytes that were packed. Reading stops as soon as they exceed the bound for the size of the file.

    Raises:
        PackedError: If the file is broken or expands to too much.
    """
    most, unpacked = bounds.most_unpacked(len(content)), io.BytesIO()
    try:
        with packer.open(io.BytesIO(content)) as stream:
            while unpacked.tell() <= most and (piece := stream.read(_PIECE)):
                unpacked.write(piece)
    except _BROKEN as error:
        raise _broken(packer, source, error) from None
    if unpacked.tell() > most:
        raise PackedError(
            f"source {source!r} would unpack from {len(content):,} bytes to more than {most:,}, over "
            f"{bounds.describe_unpacked()}: if you trust it, unpack it yourself and give the file"
        )
    return unpacked.getvalue()


def unpack_stream(packed: io.BufferedReader, packer: Packer, source: str) -> io.BufferedReader:
    """The bytes that were packed, as they arrive and in bounded memory; reading a broken stream is a `PackedError`."""
    return io.BufferedReader(_Unpacked(packed, packer, source))


class _Arriving(io.RawIOBase):
    """A stream whose reads return what has arrived; a buffered stream would wait for all that was requested."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with at least two bytes if there are two: gzip reads its mark of two bytes at once."""
        content = self._stream.read1(len(buffer))
        if len(content) == 1 < len(buffer):
            content += self._stream.read1(len(buffer) - 1)
        buffer[: len(content)] = content
        return len(content)


class _Unpacked(io.RawIOBase):
    """The unpacked content of a stream of packed bytes."""

    def __init__(self, packed: io.BufferedReader, packer: Packer, source: str) -> None:
        self._packed, self._packer, self._source = packed, packer, source
        self._stream = packer.open(cast("IO[bytes]", _Arriving(packed)))

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        """The descriptor of the packed stream, on which a caller waits for more."""
        return self._packed.fileno()

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._stream.read1(min(len(buffer), _STREAM_PIECE))
        except _BROKEN as error:
            raise _broken(self._packer, self._source, error) from None
        buffer[: len(content)] = content
        return len(content)


def _broken(packer: Packer, source: str, error: Exception) -> PackedError:
    reason = describe_reason(error)
    return PackedError(f"source {source!r} is packed by {packer.name} and cannot be unpacked ({reason}): get it again")

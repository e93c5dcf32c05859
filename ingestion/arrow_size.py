"""How much an Arrow stream holds, by the headers of its messages, before anything is unpacked.

The headers are FlatBuffers; the fields that are read are defined in Message.fbs of the Arrow format.
"""

import struct
from typing import Any, NamedTuple

from ingestion import bounds

_DICTIONARY, _RECORDS = 2, 3
"""The kinds of messages that hold values."""
_PAIR = 16
"""Bytes of a node (its length, its nulls) and of a buffer (its place, its bytes)."""


class _Table(NamedTuple):
    """A table of a FlatBuffer: the bytes, and its place in them."""

    content: memoryview
    place: int

    def find(self, field: int) -> int | None:
        """The place of a field by its number; None where it is left out."""
        vtable = self.place - self._number("<i", self.place)
        entry = 4 + 2 * field
        offset = self._number("<H", vtable + entry) if entry < self._number("<H", vtable) else 0
        return self.place + offset if offset else None

    def number(self, field: int, form: str) -> int:
        """A number, 0 where it is left out."""
        place = self.find(field)
        return 0 if place is None else self._number(form, place)

    def table(self, field: int) -> "_Table":
        """The table that a field refers to; this table if the field is left out, which no message does."""
        place = self.find(field)
        return self if place is None else _Table(self.content, place + self._number("<I", place))

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """A vector of pairs of numbers."""
        place = self.find(field)
        if place is None:
            return []
        start = place + self._number("<I", place)
        count = self._number("<I", start)
        return list(struct.iter_unpack("<qq", self.content[start + 4 : start + 4 + _PAIR * count]))

    def _number(self, form: str, place: int) -> int:
        [number] = struct.unpack_from(form, self.content, place)
        return int(number)


def check_sizes(stream: Any, size: int, source: str) -> None:
    """Refuse a stream whose own headers say that it holds too much.

    Args:
        stream: Its bytes, as a buffer of Arrow.
        size: The bytes of the source.
        source: The source, for the error.

    Raises:
        TooLargeError: A bound is exceeded.
        ValueError: A header is broken.
    """
    import pyarrow as pa

    rows, values, unpacked = 0, 0, 0
    for message in pa.ipc.MessageReader.open_stream(stream):
        try:
            counted = _count(memoryview(message.metadata), message.body)
        except (struct.error, IndexError) as error:
            raise ValueError(f"a header that is no FlatBuffer: {error}") from None
        rows, values, unpacked = (have + more for have, more in zip((rows, values, unpacked), counted, strict=True))
        bounds.check(source, size, rows=rows, values=values, characters=unpacked)


def _count(header: memoryview, body: Any) -> tuple[int, int, int]:
    """The rows, values and unpacked bytes of a message."""
    message = _Table(header, struct.unpack_from("<I", header)[0])
    kind = message.number(1, "<B")
    if kind not in {_DICTIONARY, _RECORDS}:
        return 0, 0, 0
    batch = message.table(2) if kind == _RECORDS else message.table(2).table(1)
    is_packed = batch.find(3) is not None
    sizes = (_unpacked(body, place, length) if is_packed else length for place, length in batch.pairs(2))
    rows = batch.number(0, "<q") if kind == _RECORDS else 0
    return rows, sum(length for length, _ in batch.pairs(1)), sum(sizes)


def _unpacked(body: Any, place: int, length: int) -> int:
    """The size of a packed buffer once unpacked, which is its first number; -1 there means that it is not packed."""
    if length == 0:
        return 0
    [declared] = struct.unpack_from("<q", memoryview(body), place)
    return length if declared < 0 else int(declared)

"""Unlabelled headlines from standard input: the first lines decide the format, the rest is read as it comes.

Packed input is unpacked as it comes. Archives, Parquet, Arrow, Excel, JSON documents and UTF-16 cannot be read as they
come, and are read whole first.
"""

import codecs
import io
import re
import select
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any, ClassVar

from ingestion.arrow import is_arrow
from ingestion.encodings import Text, check_encoding, find_wide, is_made_of_bytes
from ingestion.foreign import refuse_foreign
from ingestion.formats import Content, EmptyFileError, read_content, read_text, recognise_text, refuse_packed_twice
from ingestion.packed import Packer, find_packer, unpack_stream
from ingestion.parquet import is_parquet
from ingestion.rows import RawRow
from schemas.errors import InputError
from schemas.source import UnlabelledSettings

STREAM = "-"
"""The name of standard input."""
HEAD_BYTES = 65_536
"""Bytes of a stream by which it is recognised; a longer first line is used whole."""
HEAD_PATIENCE = 0.5
"""Seconds to wait for these bytes once the first line has arrived."""
MOST_HELD = 1024**3
"""Most bytes that are held at once: a line, or a whole stream that cannot be read line by line."""

_LINE_END = re.compile(rb"[\r\n]")
_UTF_8 = "utf-8"
_MARK_BYTES = 16
"""First bytes that show whether a stream is packed."""
_ZIP = b"PK\x03\x04"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)  # UTF-32-LE begins as UTF-16-LE does


class EndlessStreamError(InputError):
    """A stream has a line that is too large, or must be read whole and is too large."""


@dataclass(frozen=True)
class StreamText(Text):
    """A text whose beginning is in `content`, and the rest in a stream; its lines can be read once."""

    is_live: ClassVar[bool] = True
    rest: io.BufferedReader = field(default_factory=lambda: io.BufferedReader(io.BytesIO()))

    def _open(self) -> io.TextIOWrapper:
        joined = io.BufferedReader(_JoinedLines(self.content, self.rest))
        return io.TextIOWrapper(joined, encoding=self.encoding, errors="surrogateescape", newline="")


class _Joined(io.RawIOBase):
    """Bytes and then those of a stream, as they arrive. The stream stays open; its owner closes it."""

    def __init__(self, first: bytes, rest: io.BufferedReader) -> None:
        self._first = memoryview(first)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        """The descriptor of the stream, on which a caller waits for more."""
        return self._rest.fileno()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what has arrived, waiting for at least one byte; 0 at the end."""
        content = bytes(self._first[: len(buffer)]) or self._rest.read1(len(buffer))
        self._first = self._first[len(content) :]
        buffer[: len(content)] = content
        return len(content)


class _JoinedLines(_Joined):
    """The bytes of a text that is held a line at a time; the length of a line is bounded."""

    def __init__(self, first: bytes, rest: io.BufferedReader) -> None:
        super().__init__(first, rest)
        self._since_end = 0

    def readinto(self, buffer: Any) -> int:
        """See `_Joined`."""
        size = super().readinto(buffer)
        content = bytes(buffer[:size])
        after = size - 1 - max(content.rfind(end) for end in (b"\n", b"\r"))
        self._since_end = after if after < size else self._since_end + after
        _check_held(self._since_end)
        return size


def open_stream(stream: io.BufferedReader, settings: UnlabelledSettings) -> Content:
    """Recognise a stream by its first lines, and begin to read it.

    Args:
        stream: The bytes, as they arrive.
        settings: How they are read; a row with bytes that are not UTF-8 is rejected unless `encoding` names another.

    Raises:
        InputError: It is empty or of no known kind; also while its rows are read.
    """
    first, is_whole = _read_first(stream)
    packer = find_packer(first)
    if packer is None:
        return _open(first, stream, settings, is_whole=is_whole)
    unpacked = unpack_stream(io.BufferedReader(_Joined(first, stream)), packer, STREAM)
    found = _open_unpacked(unpacked, packer, settings)
    return found._replace(kind=f"{found.kind} in {packer.name}")


def _open_unpacked(stream: io.BufferedReader, packer: Packer, settings: UnlabelledSettings) -> Content:
    first, is_whole = _read_first(stream)
    if first.startswith(_ZIP):  # it may be a workbook
        first, is_whole = _read_whole(first, stream), True
    refuse_packed_twice(first, packer, STREAM)
    return _open(first, stream, settings, is_whole=is_whole)


def _open(first: bytes, stream: io.BufferedReader, settings: UnlabelledSettings, *, is_whole: bool) -> Content:
    """Begin to read a stream that is not packed, whose first bytes were read."""
    if not first.strip():
        raise EmptyFileError(f"source {STREAM!r} is empty: give headlines on standard input")
    refuse_foreign(first, STREAM, settings)
    encoding = settings.encoding or _UTF_8
    check_encoding(encoding)
    if _is_whole_kind(first) or not is_made_of_bytes(encoding):
        return read_content(_read_whole(first, stream), STREAM, settings)
    head = Text(first if is_whole else _cut_last_line(first), encoding, is_sound=False)
    found = recognise_text(head, settings)
    if found in {"json", "phrasebank"}:
        return read_content(_read_whole(first, stream), STREAM, settings)
    return read_text(found, head, StreamText(first, encoding, is_sound=False, rest=stream), STREAM, settings)


def _is_whole_kind(first: bytes) -> bool:
    """Whether bytes begin like a kind that must be read whole."""
    return is_parquet(first) or is_arrow(first) or first.startswith((_ZIP, *_WIDE)) or find_wide(first) is not None


def _read_first(stream: io.BufferedReader) -> tuple[bytes, bool]:
    """The first bytes of a stream, and whether they are all.

    They hold a whole line that is not blank, or the mark of packed bytes, and what else arrives within `HEAD_PATIENCE`.
    """
    first, deadline, has_text = bytearray(), None, False
    while deadline is None or (len(first) < HEAD_BYTES and _is_ready(stream, deadline - time.monotonic())):
        arrived = stream.read1(HEAD_BYTES)
        if not arrived:
            return bytes(first), True
        first += arrived
        _check_held(len(first))
        line = arrived if has_text else arrived.lstrip()  # looking at all of `first` each time would be quadratic
        has_text = has_text or bool(line)
        if deadline is None and (_LINE_END.search(line) or find_packer(bytes(first[:_MARK_BYTES]))):
            deadline = time.monotonic() + HEAD_PATIENCE
        elif not has_text and len(first) > HEAD_BYTES:
            first.clear()
    return bytes(first), False


def _read_whole(first: bytes, stream: io.BufferedReader) -> bytes:
    """All bytes of a stream, whose first ones were read."""
    content = first + stream.read(MOST_HELD + 1 - len(first))
    _check_held(len(content))
    return content


def _check_held(size: int) -> None:
    """Refuse a stream that exceeds the bound on held bytes, such as an endless one."""
    if size > MOST_HELD:
        raise EndlessStreamError(
            f"source {STREAM!r} has over {MOST_HELD:,} bytes without a line end, or that must be held at once: "
            "give headlines one a line"
        )


def _is_ready(stream: io.BufferedReader, seconds: float) -> bool:
    """Whether something can be read within some seconds; the end of the stream counts."""
    try:
        ready, _, _ = select.select([stream], [], [], max(seconds, 0))
    except (OSError, ValueError):  # bytes in memory never block
        return True
    return bool(ready)


def _cut_last_line(first: bytes) -> bytes:
    """The bytes up to the end of the last whole line; all of them where there is none."""
    end = max(first.rfind(b"\n"), first.rfind(b"\r")) + 1
    return first[:end] if first[:end].strip() else first


def batch_rows(rows: Iterator[RawRow], most: int, patience: float) -> Iterator[list[RawRow]]:
    """Rows in batches of `most`, or of those that arrive within `patience` seconds of the first one of the batch.

    An error while rows are read is raised after the batch of those before it.
    """
    arrived: Queue[RawRow | Exception | None] = Queue(maxsize=2 * most)
    threading.Thread(target=_fetch, args=(rows, arrived), daemon=True).start()
    batch: list[RawRow] = []
    deadline = 0.0
    while True:
        try:
            row = arrived.get(timeout=max(0.0, deadline - time.monotonic()) if batch else None)
        except Empty:
            yield batch
            batch = []
            continue
        if isinstance(row, Exception):
            if batch:
                yield batch
            raise row
        if row is not None:
            deadline = deadline if batch else time.monotonic() + patience
            batch.append(row)
        if batch and (row is None or len(batch) == most):
            yield batch
            batch = []
        if row is None:
            return


def _fetch(rows: Iterator[RawRow], arrived: Queue[RawRow | Exception | None]) -> None:
    """Put rows into a queue, and at the end None, or the error that ended them."""
    try:
        for row in rows:
            arrived.put(row)
        arrived.put(None)
    except Exception as error:  # noqa: BLE001 (raised where the rows are used)
        arrived.put(error)

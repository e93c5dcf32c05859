"""Unlabelled headlines from standard input: the first line tells what they are, the rest is read as it comes.

What cannot be read from its beginning on - archives, Parquet, Excel, JSON arrays, UTF-16 - is read whole first.
"""

import codecs
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import BinaryIO

from ingestion.encodings import Text, is_made_of_bytes
from ingestion.formats import Content, EmptyFileError, read_content, read_text, recognise_text
from ingestion.parquet import is_parquet
from ingestion.rows import RawRow
from schemas.config import UnlabelledSettings

STREAM = "-"
"""The name of standard input."""

_UTF_8 = "utf-8"
_ZIP = b"PK\x03\x04"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)  # UTF-32-LE begins as UTF-16-LE does


@dataclass(frozen=True)
class StreamText(Text):
    """A text of which only the first line is at hand, in `content`; its lines can be read once."""

    rest: BinaryIO = field(default_factory=io.BytesIO)

    def lines(self) -> Iterator[str]:
        """Yield each line with its end, as it arrives."""
        following = io.TextIOWrapper(self.rest, encoding=self.encoding, errors="surrogateescape", newline="")
        try:
            yield from super().lines()
            yield from following
        finally:
            following.detach()  # the stream is its owner's to close


def open_stream(stream: BinaryIO, settings: UnlabelledSettings) -> Content:
    """Recognise a stream by its first line that is not blank, and begin to read it.

    Args:
        stream: The bytes, which come when they come.
        settings: How they are read; bytes that are not UTF-8 cost their row unless `encoding` says otherwise.

    Raises:
        InputError: It is empty, or of no kind that is known; also while its rows are read.
    """
    first = next((line for line in iter(stream.readline, b"") if line.strip()), b"")
    if not first:
        raise EmptyFileError(f"source {STREAM!r} is empty: give headlines on standard input")
    encoding = settings.encoding or _UTF_8
    if is_parquet(first) or first.startswith((_ZIP, *_WIDE)) or not is_made_of_bytes(encoding):
        return read_content(first + stream.read(), STREAM, settings)
    head = Text(first, encoding, is_sound=False)
    found = recognise_text(head, settings)
    if found in {"json", "phrasebank"}:
        return read_content(first + stream.read(), STREAM, settings)
    return read_text(found, head, StreamText(first, encoding, is_sound=False, rest=stream), STREAM, settings)


def batch_rows(rows: Iterator[RawRow], most: int, patience: float) -> Iterator[list[RawRow]]:
    """Rows in batches of `most`; of a slow stream what has come, once no row came for `patience` seconds."""
    arrived: Queue[RawRow | Exception | None] = Queue(maxsize=2 * most)

    def fetch() -> None:
        try:
            for row in rows:
                arrived.put(row)
            arrived.put(None)
        except Exception as error:  # noqa: BLE001 (raised where the rows are used)
            arrived.put(error)

    threading.Thread(target=fetch, daemon=True).start()
    batch: list[RawRow] = []
    while True:
        try:
            row = arrived.get(timeout=patience if batch else None)
        except Empty:
            yield batch
            batch = []
            continue
        if isinstance(row, Exception):
            raise row
        if row is not None:
            batch.append(row)
        if batch and (row is None or len(batch) == most):
            yield batch
            batch = []
        if row is None:
            return

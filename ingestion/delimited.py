"""CSV, TSV and similar formats: the records of a text, and its raw rows once its layout is known."""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ingestion.about import read_word
from ingestion.cells import is_blank
from ingestion.encodings import LINE_ENDS, Text
from ingestion.found_columns import Columns
from ingestion.labels import LabelWords
from ingestion.others import take_others
from ingestion.rows import RawRow, TableRows, broken_row

ONE_COLUMN = "\x1f"
"""The delimiter of a text with one column: a control character, so that nothing is split."""

MOST_WITHIN = 20
"""Most lines of a quoted field of which one looks like a row of its own."""

MOST_GIVEN_BACK = 1_000_000
"""Most lines of a text that are read a second time after a broken quote."""

_MARK = "\ufeff"
"""The byte order mark, which begins each file of several that were joined."""

_UNFINISHED = "unexpected end of data"
"""The message of the module csv about a quote that is still open at the end of the lines."""

_TOO_LONG = "field larger than field limit"
"""How the module csv begins its message about a field of more characters than `csv.field_size_limit()`."""

_NUMBER, _WORD = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_OFTEN_UNQUOTED = {"\t", ONE_COLUMN}
"""Delimiters that rarely occur in text: files with them are often written without any quoting."""

Record = tuple[list[str], str, str | None]
"""The fields of a record, its original text, and its defect if it has one."""


@dataclass(frozen=True)
class Layout:
    """How a delimited text is laid out.

    `header` has the names of the columns, if there are any, and `width` is the number of fields of a row. `start` is
    the number of lines above the first row, header and titles. `shapes` has what the fields of each column look like
    in the first rows (see `shape_of`).
    """

    delimiter: str
    header: Sequence[str] | None
    width: int
    columns: Columns
    start: int
    shapes: Sequence[set[str]]


def read_delimited(text: Text, layout: Layout, words: LabelWords) -> TableRows:
    """Give the rows that are not blank in order. A row of another width, or with broken quotes, has a defect."""
    lines = islice(text.lines(), layout.start, None)
    records = Records(
        lines, layout.delimiter, lambda fields: _is_row(fields, layout, words), reads_ahead=not text.is_live
    )
    return TableRows((_read_record(record, layout) for record in records), layout.columns.read)


def _read_record(record: Record, layout: Layout) -> RawRow:
    fields, raw, defect = record
    if defect:
        return broken_row(raw, defect)
    if len(fields) != layout.width:
        return broken_row(raw, f"number of fields is {len(fields)}, not {layout.width}")
    if fields == layout.header or (fields[0].startswith(_MARK) and _without_mark(fields) == layout.header):
        return broken_row(raw, "the header again")
    columns = layout.columns
    label, others = None if columns.label is None else fields[columns.label], take_others(fields, columns.others)
    about: dict[str, Any] = {name: read_word(name, fields[place]) for name, place in columns.about.items()}
    row = RawRow(fields[columns.text], label, raw, others=others, **about)
    row = columns.group.label(row, fields) if columns.group else row
    return row if columns.part is None else row._replace(part=fields[columns.part])


def _without_mark(fields: list[str]) -> list[str]:
    """Fields without the mark before the first one, which also hides that this one is quoted."""
    return [fields[0].removeprefix(_MARK).strip('"'), *fields[1:]]


def _is_row(fields: list[str], layout: Layout, words: LabelWords) -> bool:
    """Whether fields are certainly those of a row, even inside an open quote.

    A row has the right number of fields and a known label or, without labels, fields other than the text that look like
    those of other rows.
    """
    label = layout.columns.label
    if len(fields) != layout.width:
        return False
    if label is not None:
        return words.knows(fields[label])
    pairs = enumerate(zip(fields, layout.shapes, strict=True))
    return all(place == layout.columns.text or shape_of(field) in known for place, (field, known) in pairs)


def shape_of(field: str) -> str:
    """What a field looks like: each number as `0` and each word as `a`."""
    return _WORD.sub("a", _NUMBER.sub("0", field))


class Records:
    """The records of a text that are not blank; a quote that is broken or never closed costs only its own line.

    A record is blank if all its fields are. The lines that a broken quote had taken are read again. After
    `MOST_GIVEN_BACK` such lines no quote may span a second line, which keeps the work linear in the lines. If a line
    within a quote is by itself a row, the opening quotation mark is stray: under a delimiter that is often used without
    quoting, its line is read literally, and under others it is broken. But the line belongs to the quote if that is
    closed within `MOST_WITHIN` lines and makes a row, and its first or its last line alone is none.

    Args:
        lines: The lines, with their ends.
        delimiter: The character between two fields.
        is_row: Whether fields are certainly those of a row.
        reads_ahead: Whether to look for the end of such a quote. In a live stream that would hold rows back.
    """

    def __init__(
        self,
        lines: Iterator[str],
        delimiter: str,
        is_row: Callable[[list[str]], bool] = lambda _: False,
        *,
        reads_ahead: bool = True,
    ) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._is_row = is_row
        self._reads_ahead = reads_ahead
        self._again: deque[str] = deque()
        self._given_back = 0
        self._fetched = 0

    @property
    def lines_read(self) -> int:
        """Lines of the text up to the end of the latest record."""
        return self._fetched - len(self._again)

    def __iter__(self) -> Iterator[Record]:
        while line := self._next_line():
            raw = line.rstrip(LINE_ENDS)
            if '"' in raw:
                record = self._read_quoted(line)
                if record[2] or not is_blank(record[0]):
                    yield record
            elif not is_blank((raw.replace(self._delimiter, " "),)):
                yield raw.split(self._delimiter), raw, None

    def _next_line(self) -> str:
        if self._again:
            return self._again.popleft()
        line = next(self._lines, "")
        self._fetched += bool(line)
        return line

    def _read_quoted(self, first: str) -> Record:
        """Read the record that begins with a line, over as many lines as its quotes span."""
        try:
            return self._parse((first,)), first.rstrip(LINE_ENDS), None
        except csv.Error as error:
            if _UNFINISHED not in str(error):  # more lines cannot complete it
                return self._break(first, [first], str(error))
        taken: list[str] = []
        try:
            fields = self._parse(self._feed(first, taken))
        except csv.Error as error:
            completed = self._complete(taken) if self._reads_ahead else None
            if completed is None:
                return self._break(first, taken, str(error))
            fields = completed
        return fields, "".join(taken).rstrip(LINE_ENDS), None

    def _split_row(self, line: str) -> list[str] | None:
        """The fields of a line that is certainly a row by itself; None for any other line."""
        fields = line.rstrip(LINE_ENDS).split(self._delimiter)
        return fields if self._is_row(fields) else None

    def _feed(self, line: str, taken: list[str]) -> Iterator[str]:
        """Yield lines, the first one first, until one is a separate row."""
        is_row = self._split_row(line) is not None
        while line:
            taken.append(line)
            yield line
            line = self._next_line() if self._given_back < MOST_GIVEN_BACK else ""
            if self._delimiter != ONE_COLUMN and (is_row or '"' not in line) and self._split_row(line):
                self._again.appendleft(line)
                return

    def _complete(self, taken: list[str]) -> list[str] | None:
        """The row that a quote makes with further lines, which are added to those taken; None if it makes none."""
        before = len(taken)
        while self._given_back < MOST_GIVEN_BACK and len(taken) < MOST_WITHIN and (line := self._next_line()):
            taken.append(line)
            if '"' not in line:
                continue
            try:
                fields = self._parse(taken)
            except csv.Error as error:
                if _UNFINISHED in str(error):
                    continue
                break
            if self._is_row(fields) and not (self._split_row(taken[0]) and self._split_row(line)):
                return fields
            break
        self._again.extendleft(reversed(taken[before:]))
        self._given_back += len(taken) - before
        del taken[before:]
        return None

    def _break(self, first: str, taken: list[str], error: str) -> Record:
        """The record of a line whose quotes are broken; the lines after it are given back."""
        self._again.extendleft(reversed(taken[1:]))
        self._given_back += len(taken) - 1
        raw = first.rstrip(LINE_ENDS)
        fields = self._split_row(first) if self._delimiter in _OFTEN_UNQUOTED else None
        return (fields, raw, None) if fields else ([], raw, _describe_break(error))

    def _parse(self, lines: Iterable[str]) -> list[str]:
        return next(csv.reader(lines, delimiter=self._delimiter, strict=True))


def _describe_break(error: str) -> str:
    if error.startswith(_TOO_LONG):
        return f"field of more than {csv.field_size_limit():,} characters, or a quote that is never closed"
    return f"broken quoting: {error}"

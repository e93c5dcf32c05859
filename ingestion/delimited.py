r"""CSV, TSV and their kin, with or without a header: text in, raw rows out.

Knows strict quoting, every line end and the headerless `label,text` copy of FinancialPhraseBank. Reads no file and
judges no label.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingestion.columns import find_columns, has_columns, missing_columns
from ingestion.encodings import LINE_ENDS, Text
from ingestion.labels import LabelWords
from ingestion.rows import RawRow, broken_row
from schemas.config import DataSettings

DELIMITERS = (",", "\t", ";", "|")

MOST_GIVEN_BACK = 1_000_000
"""Lines of a text that are read a second time in search of the end of a quote."""

_HEADERLESS_FIELDS = 2

Record = tuple[list[str], str, str | None]
"""The fields of a record, its text as it was, and what is wrong with it."""


@dataclass(frozen=True)
class Layout:
    """How a delimited text is laid out: its delimiter, its width, and the places of text and label in a row."""

    delimiter: str
    width: int
    text: int
    label: int | None
    has_header: bool


def recognise_layout(text: Text, source: str, settings: DataSettings, words: LabelWords) -> Layout:
    """Find the delimiter and the columns from the first record.

    A header needs a text and a label column; without one, a row has two fields of which one is a label word, or the
    settings give the columns by their numbers.

    Raises:
        MissingColumnError: If no delimiter gives a text and a label column.
    """
    widest: list[str] = []
    for delimiter in (settings.delimiter,) if settings.delimiter else DELIMITERS:
        fields = next((fields for fields, _, _ in _Records(text.lines(), delimiter)), [])
        layout = (
            _header_layout(fields, delimiter, settings)
            or _numbered_layout(fields, delimiter, settings)
            or _headerless_layout(fields, delimiter, settings, words)
        )
        if layout:
            return layout
        widest = max(widest, fields, key=len)
    raise missing_columns(source, widest, settings)


def read_delimited(text: Text, layout: Layout) -> Iterator[RawRow]:
    """Yield the rows in order; blank lines are none. A row of another width, or with broken quotes, has a defect."""
    records = iter(_Records(text.lines(), layout.delimiter))
    if layout.has_header:
        next(records)
    for fields, raw, defect in records:
        if defect:
            yield broken_row(raw, defect)
        elif len(fields) != layout.width:
            yield broken_row(raw, f"number of fields is {len(fields)}, not {layout.width}")
        else:
            yield RawRow(fields[layout.text], None if layout.label is None else fields[layout.label], raw)


class _Records:
    """The records of a text that are not blank; a quote that is broken or never closed costs its own line, no other.

    The lines that a broken quote had taken are given back and read again. After `MOST_GIVEN_BACK` of them a quote may
    span no second line, so that the work stays in proportion to the lines.
    """

    def __init__(self, lines: Iterator[str], delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._again: deque[str] = deque()
        self._given_back = 0

    def __iter__(self) -> Iterator[Record]:
        while line := self._next_line():
            raw = line.rstrip(LINE_ENDS)
            if '"' in raw:
                yield self._read_quoted(line)
            elif raw:
                yield raw.split(self._delimiter), raw, None

    def _next_line(self) -> str:
        return self._again.popleft() if self._again else next(self._lines, "")

    def _read_quoted(self, first: str) -> Record:
        """Read the record that begins with a line, over as many lines as its quotes span."""
        try:
            return self._parse((first,)), first.rstrip(LINE_ENDS), None
        except csv.Error:  # few do not end on the line on which they begin
            pass
        taken: list[str] = []

        def feed() -> Iterator[str]:
            line = first
            while line:
                taken.append(line)
                yield line
                line = self._next_line() if self._given_back < MOST_GIVEN_BACK else ""

        try:
            fields = self._parse(feed())
        except csv.Error as error:
            self._again.extendleft(reversed(taken[1:]))
            self._given_back += len(taken) - 1
            return [], first.rstrip(LINE_ENDS), f"broken quoting: {error}"
        return fields, "".join(taken).rstrip(LINE_ENDS), None

    def _parse(self, lines: Iterable[str]) -> list[str]:
        return next(csv.reader(lines, delimiter=self._delimiter, strict=True))


def _header_layout(fields: list[str], delimiter: str, settings: DataSettings) -> Layout | None:
    text, label = find_columns(fields, settings.text_column, settings.label_column)
    if text is None or not has_columns(fields, settings):
        return None
    return Layout(delimiter, len(fields), text, label, has_header=True)


def _numbered_layout(fields: list[str], delimiter: str, settings: DataSettings) -> Layout | None:
    """Columns by their numbers from 1, of a file without a header."""
    numbers = (
        [settings.text_column or "", settings.label_column or ""]
        if settings.is_labelled
        else [settings.text_column or ""]
    )
    if not all(number.isascii() and number.isdigit() and 0 < int(number) <= len(fields) for number in numbers):
        return None
    text, *label = (int(number) - 1 for number in numbers)
    return Layout(delimiter, len(fields), text, label[0] if label else None, has_header=False)


def _headerless_layout(fields: list[str], delimiter: str, settings: DataSettings, words: LabelWords) -> Layout | None:
    if settings.text_column or settings.label_column or len(fields) != _HEADERLESS_FIELDS:
        return None
    labels = [place for place, field in enumerate(fields) if words.knows(field)]
    if len(labels) != 1:
        return None
    return Layout(delimiter, len(fields), text=1 - labels[0], label=labels[0], has_header=False)

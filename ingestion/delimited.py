r"""CSV, TSV and their kin, with or without a header: text in, raw rows out.

Knows strict quoting, every line end and the headerless `label,text` copy of FinancialPhraseBank. Reads no file and
judges no label.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from ingestion.columns import find_columns, missing_columns
from ingestion.labels import LabelWords
from ingestion.lines import LINE_ENDS, iter_lines
from ingestion.rows import RawRow, broken_row
from schemas.config import DataSettings

DELIMITERS = (",", "\t", ";", "|")

_HEAD_CHARACTERS = 65_536
_HEADERLESS_FIELDS = 2


@dataclass(frozen=True)
class Layout:
    """How a delimited text is laid out: its delimiter, its width, and the places of text and label in a row."""

    delimiter: str
    width: int
    text: int
    label: int
    has_header: bool


def recognise_layout(text: str, source: str, settings: DataSettings, words: LabelWords) -> Layout:
    """Find the delimiter and the columns from the first record.

    A header needs a text and a label column; without one, a row has two fields of which one is a label word.

    Raises:
        MissingColumnError: If no delimiter gives a text and a label column.
    """
    widest: list[str] = []
    for delimiter in DELIMITERS:
        fields = _first_record(text[:_HEAD_CHARACTERS], delimiter)
        layout = _header_layout(fields, delimiter, settings) or _headerless_layout(fields, delimiter, settings, words)
        if layout:
            return layout
        widest = max(widest, fields, key=len)
    raise missing_columns(source, widest, settings.text_column, settings.label_column)


def read_delimited(text: str, layout: Layout) -> Iterator[RawRow]:
    """Yield the rows in order; blank lines are none. A row of another width, or with broken quotes, has a defect."""
    records = _iter_records(text, layout.delimiter)
    if layout.has_header:
        next(records)
    for record in records:
        if record.defect:
            yield broken_row(record.raw, record.defect)
        elif len(record.fields) != layout.width:
            yield broken_row(record.raw, f"number of fields is {len(record.fields)}, not {layout.width}")
        else:
            yield RawRow(record.fields[layout.text], record.fields[layout.label], record.raw)


@dataclass(frozen=True)
class _Record:
    fields: list[str]
    raw: str
    defect: str | None = None


class _Tape:
    """Hands lines to the csv module, keeps those of the record at hand, and hands them out again when it is broken."""

    def __init__(self, text: str) -> None:
        self._lines = iter_lines(text)
        self._again: deque[str] = deque()
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        return line

    def accept(self) -> str:
        """Be done with the record, and return it as it was."""
        raw = "".join(self._taken).rstrip(LINE_ENDS)
        self._taken.clear()
        return raw

    def reject(self) -> str:
        """Be done with the first line of the record only, and return it as it was."""
        raw, *rest = self._taken
        self._again.extendleft(reversed(rest))
        self._taken.clear()
        return raw.rstrip(LINE_ENDS)


def _iter_records(text: str, delimiter: str) -> Iterator[_Record]:
    """Yield the records that are not blank; a quote that is broken or never closed costs its own line, no other."""
    tape = _Tape(text)
    reader = csv.reader(tape, delimiter=delimiter, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Record([], tape.reject(), f"broken quoting: {error}")
            continue
        raw = tape.accept()
        if fields:
            yield _Record(fields, raw)


def _first_record(text: str, delimiter: str) -> list[str]:
    record = next(_iter_records(text, delimiter), None)
    return record.fields if record else []


def _header_layout(fields: list[str], delimiter: str, settings: DataSettings) -> Layout | None:
    text, label = find_columns(fields, settings.text_column, settings.label_column)
    if text is None or label is None:
        return None
    return Layout(delimiter, len(fields), text, label, has_header=True)


def _headerless_layout(fields: list[str], delimiter: str, settings: DataSettings, words: LabelWords) -> Layout | None:
    if settings.text_column or settings.label_column or len(fields) != _HEADERLESS_FIELDS:
        return None
    labels = [place for place, field in enumerate(fields) if words.knows(field)]
    if len(labels) != 1:
        return None
    return Layout(delimiter, len(fields), text=1 - labels[0], label=labels[0], has_header=False)

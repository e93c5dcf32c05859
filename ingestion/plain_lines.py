"""Headlines without labels, one a line: text in, raw rows out. Reads no file."""

from collections.abc import Iterator

from ingestion.columns import MissingColumnError
from ingestion.delimited import DELIMITERS, recognise_layout
from ingestion.encodings import LINE_ENDS, Text
from ingestion.labels import LabelWords
from ingestion.rows import RawRow
from schemas.config import DataSettings


def is_plain(text: Text, settings: DataSettings, words: LabelWords) -> bool:
    """Whether each line is a headline: no delimiter gives columns that are known, and the first line is no header.

    A line whose every field is one word names columns rather than tells news.
    """
    if settings.text_column or settings.delimiter:
        return False
    try:
        recognise_layout(text, "", settings, words)
    except MissingColumnError:
        first = text.first_line()
        split = [first.split(delimiter) for delimiter in DELIMITERS if delimiter in first]
        return not any(all(len(field.split()) <= 1 for field in fields) for fields in split)
    return False


def read_lines(text: Text) -> Iterator[RawRow]:
    """Yield the rows in order; blank lines are none."""
    for line in text.lines():
        raw = line.rstrip(LINE_ENDS)
        if raw.strip():
            yield RawRow(raw, None, raw)

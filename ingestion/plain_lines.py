"""Headlines without labels, one a line: text in, raw rows out."""

import re
from collections.abc import Iterator

from ingestion.columns import SAMPLE_ROWS
from ingestion.delimited import ONE_COLUMN, Records
from ingestion.encodings import LINE_ENDS, Text
from ingestion.heads import is_table, read_heads
from ingestion.layouts import find_layout
from ingestion.rows import RawRow
from schemas.errors import InputError
from schemas.source import DataSettings

_QUOTE = '"'
_RULE = re.compile(r"[\s|+:]*[-=]{2,}(?:[\s|+:]+[-=]{2,})+[\s|+:]*")
"""A line of dashes under the names of two columns or more, as programs draw it in a table for people."""
_RULED_LINES = 5
_BINARY = "\0"
_OTHER_JSON = re.compile(r"\{\s*[\"}]|\{\s*\Z|\[\s*[\"\[\]]|\[\s*\Z")
"""The beginning of JSON that is neither an array of objects nor an object a line."""


class NotLinesError(InputError):
    """A text is clearly not one headline a line, and is not read."""


def is_plain(text: Text, settings: DataSettings) -> bool:
    """Whether each line is a headline: no delimiter gives known columns or makes the lines a table."""
    if settings.text_column or settings.delimiter or settings.header_row:
        return False
    if any(_RULE.fullmatch(line) for line in text.first_lines(_RULED_LINES)):
        return False
    heads = read_heads(text, settings)
    return find_layout(heads, settings) is None and not any(map(is_table, heads))


def check_lines(head: Text, source: str, settings: DataSettings) -> None:
    """Refuse a text whose beginning shows another kind.

    Raises:
        NotLinesError: It shows another kind.
    """
    first = "".join(head.first_lines(_RULED_LINES))
    kind = "no text" if _BINARY in first else None
    if _OTHER_JSON.match(first.lstrip()):
        kind = "JSON that is neither an array of objects nor an object a line"
    if kind:
        raise NotLinesError(
            f"source {source!r} is {kind}: save its headlines as CSV or a headline a line, or use "
            f"{settings.option('format', 'lines')} if each line is one"
        )


def read_lines(text: Text, head: Text) -> Iterator[RawRow]:
    """Yield the rows in order; blank lines are skipped.

    Args:
        text: All of it.
        head: Its beginning, which shows whether the lines are the only column of a CSV, where quotation
            marks enclose each text with a comma or a line end.
    """
    if _is_quoted(head):
        records = Records(text.lines(), ONE_COLUMN, lambda _: True)
        yield from (RawRow(ONE_COLUMN.join(fields), None, raw) for fields, raw, _ in records if raw.strip())
        return
    for line in text.lines():
        raw = line.rstrip(LINE_ENDS)
        if raw.strip():
            yield RawRow(raw, None, raw)


def _is_quoted(head: Text) -> bool:
    """Whether no line has a comma outside of quotation marks, and at least one is quoted as a whole."""
    records = list(Records(iter(head.first_lines(SAMPLE_ROWS)), ","))
    if any(defect or len(fields) != 1 for fields, _, defect in records):
        return False
    return any(raw.startswith(_QUOTE) and raw.endswith(_QUOTE) for _, raw, _ in records)

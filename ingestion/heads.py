"""The first lines of a text under each delimiter, and whether they look like a table or like running text."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingestion.columns import LABEL_NAMES, SAMPLE_ROWS, TEXT_NAMES
from ingestion.delimited import ONE_COLUMN, Layout, Records
from ingestion.encodings import Text
from schemas.source import DataSettings

DELIMITERS = (",", "\t", ";", "|")

_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""The first line that Excel writes, and obeys, to name the delimiter."""
_ENTITY = re.compile(r"&#?\w+\Z")
_ALIKE = 0.9
"""Least share of the lines of a table that have the same number of fields."""
_LEAST_SPACED = {1: 5, 2: 3}
"""Least number of lines, by the number of delimiters in each, if a space follows every one; 3 or more count as 2.

In running text one line in four or so has exactly one comma, and one in twenty exactly two.
"""
_NAME_WORDS = 5
"""Most words in the name of a column."""


@dataclass(frozen=True)
class Head:
    """The first records of a text under one delimiter.

    `start` is the number of lines above them, and `ends` the number of lines of the text up to the end of each.
    """

    delimiter: str
    start: int
    records: Sequence[list[str]]
    ends: Sequence[int]

    @property
    def width(self) -> int:
        """The commonest number of fields; the largest of several."""
        counts = Counter(map(len, self.records))
        return max(counts, key=lambda width: (counts[width], width), default=0)

    @property
    def first(self) -> int:
        """The place of the first record below any title: from there on most records have the same number of fields."""
        place = next((place for place, fields in enumerate(self.records) if len(fields) >= self.width), 0)
        alike = sum(len(fields) == self.width for fields in self.records[place:])
        return place if alike >= _ALIKE * len(self.records[place:]) else 0

    def below(self, line: int) -> list[list[str]]:
        """The records below a line of the text, by its number from 1."""
        return [fields for fields, end in zip(self.records, self.ends, strict=True) if end > line]

    def agreement(self, layout: Layout) -> float:
        """The share of the rows of a layout that have its number of fields; 1 where there are no rows."""
        rows = self.below(layout.start)
        return sum(len(fields) == layout.width for fields in rows) / len(rows) if rows else 1.0


def read_heads(text: Text, settings: DataSettings) -> list[Head]:
    """The first records under each possible delimiter, from the line that should name the columns."""
    lines = text.first_lines(SAMPLE_ROWS)
    start = 0 if settings.header_row is None else settings.header_row - 1
    separator = _SEPARATOR.fullmatch(lines[0]) if lines and not start else None
    if separator:
        start = 1
    named = settings.delimiter or (separator[1] if separator else None)
    return [_read_head(lines, start, delimiter) for delimiter in ((named,) if named else (*DELIMITERS, ONE_COLUMN))]


def _read_head(lines: Sequence[str], start: int, delimiter: str) -> Head:
    """The records of lines; one with broken quotes is read literally."""
    reader = Records(iter(lines[start:]), delimiter)
    found = [(raw.split(delimiter) if defect else fields, start + reader.lines_read) for fields, raw, defect in reader]
    return Head(delimiter, start, [fields for fields, _ in found], [end for _, end in found])


def is_table(head: Head) -> bool:
    """Whether the lines are rows of a table rather than running text, whatever the names of its columns.

    The rows of a table have the same number of fields. If a space follows each delimiter, more lines are
    required. A first line that reads like a header needs no rows.
    """
    records = head.records[head.first :]
    if not records:
        return False
    tight = [_count(fields, head.delimiter, "tight") for fields in records]
    has_equal_rows = _are_alike(tight) or (_are_alike([len(fields) - 1 for fields in records]) and all(tight))
    return (
        (len(records) > 1 and has_equal_rows)
        or _has_spaced_rows(records, head.delimiter)
        or is_header(records[0], records[1:], head.delimiter)
    )


def _has_spaced_rows(records: Sequence[list[str]], delimiter: str) -> bool:
    """Whether enough records have equally many delimiters; if all end alike, the ending is the name of a publisher."""
    spaced = [_count(fields, delimiter, "spaced") for fields in records]
    if not _are_alike(spaced) or len({fields[-1] for fields in records}) == 1:
        return False
    return len(records) >= _LEAST_SPACED.get(max(spaced), min(_LEAST_SPACED.values()))


def _are_alike(counts: Sequence[int]) -> bool:
    """Whether most counts are the same and not 0."""
    [(commonest, number)] = Counter(counts).most_common(1)
    return commonest > 0 and number >= _ALIKE * len(counts)


def is_spaced(fields: Sequence[str]) -> bool:
    """Whether a space follows a delimiter, as it does in running text and seldom in a table."""
    return any(field.startswith(" ") for field in fields[1:])


def is_header(fields: Sequence[str], rest: Sequence[list[str]], delimiter: str) -> bool:
    """Whether fields read like the names of columns: at most five words in each, and no number.

    Single words are enough without a space after the delimiter; with one, most other lines must have equally many such
    delimiters. Names of several words need a known word among them, or that delimiter in most other lines.
    """
    words = [field.casefold().split() for field in fields]
    if len(fields) == 1 or any(len(name) > _NAME_WORDS or "".join(name).isdigit() for name in words):
        return False
    is_tight = _count(fields, delimiter, "tight") == len(fields) - 1
    if all(len(name) <= 1 for name in words):
        alike = sum(_count(other, delimiter, "spaced") == len(fields) - 1 for other in rest)
        return is_tight or (len(fields) > 2 and 2 * alike > len(rest))  # noqa: PLR2004
    known = {word for name in (*TEXT_NAMES, *LABEL_NAMES) for word in name.split()}
    has_rows = 2 * sum(len(other) > 1 for other in rest) > len(rest)
    return is_tight and (has_rows or any(not known.isdisjoint(name) for name in words))


def _count(fields: Sequence[str], delimiter: str, kind: str) -> int:
    """Count delimiters of a kind: `spaced`, next to a space as in running text, or `tight`.

    A comma within a number and the end of an HTML entity do not count, unless the line has no letter.
    """
    is_text = any(map(str.isalpha, "".join(fields)))
    return sum(_judge(before, after, delimiter if is_text else "") == kind for before, after in pairwise(fields))


def _judge(before: str, after: str, delimiter: str) -> str:
    if before.endswith(" ") or after.startswith(" "):
        return "spaced"
    is_number = delimiter == "," and before[-1:].isdigit() and after[:1].isdigit()
    is_entity = delimiter == ";" and _ENTITY.search(before)
    return "inner" if is_number or is_entity else "tight"

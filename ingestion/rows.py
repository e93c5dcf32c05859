"""What every reader yields: the rows of a source as they were, and the columns of a table that they come from."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from schemas.columns import NO_COLUMNS, ReadColumns


class RawRow(NamedTuple):
    """One row of a source; a row that a reader could not take apart has a defect, and neither text nor label.

    `agreement` is the least share of annotators that agree on the label, in per cent, if the source has it. `left_out`
    is why a sound row is left out; its label is then ignored. `others` are the cells of other columns by name. `part`
    is the word for its part of an official split, from a column or the file's name; empty if the cell is.
    `published_at`, `instrument` and `publisher` are the words for when it was published, what it is about and who
    published it, and `context` is the text that is shown before it.
    """

    text: str | None
    label: str | None
    raw: str
    defect: str | None = None
    agreement: int | None = None
    left_out: str | None = None
    others: Mapping[str, Any] | None = None
    part: str | None = None
    published_at: str | None = None
    instrument: str | None = None
    publisher: str | None = None
    context: str | None = None


class TableRows(NamedTuple):
    """The rows of a file, which can be read once, and the columns that they come from where it is a table.

    `not_read` names what else the file holds, with the reason where there is one.
    """

    rows: Iterator[RawRow]
    columns: ReadColumns = NO_COLUMNS
    not_read: tuple[str, ...] = ()


def give_part(rows: Iterator[RawRow], part: str | None) -> Iterator[RawRow]:
    """The rows of a file, with the part of the split that its name gives, if any."""
    return rows if part is None else (row._replace(part=part) for row in rows)


def broken_row(raw: str, defect: str) -> RawRow:
    """A row that could not be taken apart into text and label, and why."""
    return RawRow(text=None, label=None, raw=raw, defect=defect)

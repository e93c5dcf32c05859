"""JSON lines, one object a headline: text in, raw rows out."""

from collections.abc import Sequence
from typing import Any

from ingestion.columns import SAMPLE_ROWS
from ingestion.encodings import LINE_ENDS, Text
from ingestion.json_text import DECODER, holds_too_many
from ingestion.rows import TableRows
from ingestion.tables import read_objects
from schemas.source import DataSettings


def is_json_lines(text: Text) -> bool:
    """Whether most of the first lines are JSON objects."""
    return are_objects(parse_first(text))


def are_objects(parsed: Sequence[dict[str, Any] | None]) -> bool:
    """Whether most lines were parsed to objects."""
    return 2 * sum(value is not None for value in parsed) > len(parsed)


def parse_first(text: Text) -> list[dict[str, Any] | None]:
    """The objects in the first lines that are not blank; None for a line that is not one."""
    lines = (line for line in text.first_lines(SAMPLE_ROWS) if _is_row(line))
    return [_parse(line) if line.lstrip().startswith("{") else None for line in lines]


def read_json_lines(text: Text, head: Text, source: str, settings: DataSettings) -> TableRows:
    """Give the rows that are not blank in order. The keys of the first objects say which hold text and label.

    Args:
        text: All of it.
        head: Its first lines.
        source: The source, for the error.
        settings: Which keys hold text and label.

    Raises:
        MissingColumnError: If the first objects have no key for the text or none for the label.
    """
    first = [_parse(line) for line in head.first_lines(SAMPLE_ROWS) if _is_row(line)]
    lines = (line.rstrip(LINE_ENDS) for line in text.lines() if _is_row(line))
    return read_objects(((_parse(line), line) for line in lines), first, source, settings)


def _is_row(line: str) -> bool:
    """Whether a line holds anything: a blank line and JSON's null do not."""
    return line.strip() not in {"", "null"}


def _parse(line: str) -> dict[str, Any] | None:
    if holds_too_many(line):
        return None
    try:
        value = DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

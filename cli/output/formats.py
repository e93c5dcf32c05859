"""The format of an answer: the one that was given, or the one that the suffix of the output names."""

from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from schemas.files import OutputError

TABLE = "table"
_TABLES = {".arrow", ".csv", ".feather", ".ods", ".orc", ".parquet", ".tsv", ".xls", ".xlsx"}
_TEXTS = {".htm", ".html", ".json", ".jsonl", ".md", ".ndjson", ".pdf", ".xml", ".yaml", ".yml"}
_FILES = {".bz2", ".db", ".duckdb", ".gz", ".pickle", ".pkl", ".sqlite", ".xz", ".zip", ".zst"}
NAMED_FORMATS = _TABLES | _TEXTS | _FILES
"""Suffixes that name a format; a file with any other suffix gets a table."""
_Format = TypeVar("_Format", bound=StrEnum)


def choose_format(given: _Format | None, output: Path | None, formats: type[_Format]) -> _Format:
    """Choose the format in which a command prints or writes its answer.

    Args:
        given: The value of `--format`; None if it is omitted.
        output: The file of `--output`; None for standard output.
        formats: What the command can write; one of them is `table`.

    Raises:
        OutputError: No format is given, and the suffix of the output names one that the command cannot write.
    """
    suffix = output.suffix.lower() if output else ""
    if given is not None or suffix not in NAMED_FORMATS:
        return given or formats(TABLE)
    suffixes = {f".{format_}": format_ for format_ in formats}
    if suffix not in suffixes:
        others = ", ".join(name for name, format_ in suffixes.items() if format_ != TABLE)
        raise OutputError(
            f"output {output}: the command writes no {suffix}; give a file that ends in {others} or, for a table, .txt"
        )
    return suffixes[suffix]

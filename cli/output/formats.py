"""The format of an answer: the one that was given, or the one that the suffix of the output names."""

from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from schemas.files import OutputError

TABLE = "table"
NAMED_FORMATS = frozenset(
    (
        ".arrow .bz2 .csv .db .duckdb .feather .gz .htm .html .json .jsonl .md .ndjson .ods .orc .parquet "
        ".pdf .pickle .pkl .sqlite .tsv .xls .xlsx .xml .xz .yaml .yml .zip .zst"
    ).split()
)
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

"""Reads files of prices as tables of text, with the day of each row."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ingestion.date_order import DateOrderError
from ingestion.dates import parse_dates
from ingestion.encodings import is_sound
from schemas.errors import InputError
from schemas.paths import describe_place, local_path

_ZONE = r"(:\d{2}(?:\.\d+)?) ?(?:Z|UTC|[+-]\d{2}:?\d{2})$"
"""A zone after a time: the day of a price is that of its exchange, whatever the day is in UTC."""
KINDS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx")


class PriceFileError(InputError):
    """The file of prices cannot be read."""


def find_price_file(source: str) -> Path:
    """The file that was named.

    Raises:
        InputError: It is not there, is no file, or is of no known kind.
    """
    path = local_path("prices", source)
    if not path.is_file():
        fault = "is a folder" if path.is_dir() else f"does not exist{describe_place(source, path)}"
        raise PriceFileError(f"prices {source!r} {fault}: give the path of a file")
    if path.suffix.lower() not in KINDS:
        raise PriceFileError(f"prices {source}: its name must end in one of {', '.join(KINDS)}")
    return path


def read_price_table(path: Path, date_columns: Sequence[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Every cell as text, and the day of each row at midnight (NaT where it cannot be read).

    Args:
        path: From `find_price_file`.
        date_columns: The possible names of the date column, in lower case.

    Raises:
        InputError: It cannot be read, is empty or has no column of dates, or the order of day and month is unknown.
    """
    try:
        table = _read(path)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise PriceFileError(f"prices {path.name}: cannot be read ({' '.join(str(error).split())})") from error
    table.columns = table.columns.map(str)  # a workbook may have the number of a stock for a name
    names = [name for name in table.columns if name.strip().lower() in date_columns]
    if table.empty or not names:
        columns = ", ".join(map(repr, table.columns)) or "none"
        lacking = "rows" if names else f"column {date_columns[0]}; its columns are {columns}"
        raise PriceFileError(f"prices {path.name}: has no {lacking}")
    words = table[names[0]].fillna("").astype("str").str.replace(_ZONE, r"\1", regex=True)
    try:
        return table, parse_dates(words, "UTC", None).times.dt.normalize()
    except DateOrderError as error:
        raise PriceFileError(f"prices {path.name}: {error}; write dates as 2025-03-04") from error


def _read(path: Path) -> pd.DataFrame:
    if path.suffix.lower() == ".parquet":
        table = pd.read_parquet(path).reset_index()
        return table.drop(columns="index", errors="ignore").astype("object").map(_spell).astype("str")
    if path.suffix.lower() == ".xlsx":
        return pd.read_excel(path).astype("object").map(_spell).astype("str")
    content = path.read_bytes()
    encoding = "utf-8-sig" if is_sound(content, "utf-8") else "cp1252"
    head = content[:4_000].decode(encoding, "replace").partition("\n")[0]
    delimiter = max(",;\t|", key=head.count)
    table = pd.read_csv(path, sep=delimiter, dtype="str", encoding=encoding, skipinitialspace=True)
    if delimiter == ";":  # files that delimit with it write decimals with a comma
        table = table.replace(r"^(-?\d+),(\d+)$", r"\1.\2", regex=True)
    return table


def _spell(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 (NaN and NaT differ from themselves)
        return ""
    return str(value)

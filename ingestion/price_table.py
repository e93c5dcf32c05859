"""Reads files of prices as tables of text, with the day of each row."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_integer_dtype

from ingestion.date_order import DateOrderError
from ingestion.dates import parse_dates
from ingestion.encodings import decode
from schemas.columns import find_column
from schemas.errors import InputError
from schemas.paths import describe_place, local_path
from schemas.reasons import first_line
from schemas.source import DataSettings

_ZONE = r"(:\d{2}(?:\.\d+)?) ?(?:Z|UTC|[+-]\d{2}:?\d{2})$"
"""A zone after a time: the day of a price is that of its exchange, whatever the day is in UTC."""
KINDS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx")
_WORDS_ARE_TEXT: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
"""To pandas, NA and NULL are missing values; to an exchange, NA is National Bank of Canada."""
_UNNAMED = r"Unnamed: \d+"
"""What pandas calls a column without a name, such as the numbers of rows."""
_FIRST_YEAR, _AHEAD = 1900, timedelta(days=366)
"""A date before that year, or farther ahead, is none of a price."""


class PriceFileError(InputError):
    """The file of prices cannot be read."""


def find_price_file(source: str) -> Path:
    """The file that was named.

    Raises:
        InputError: It is not there, is no file, or is of no known kind.
    """
    path = local_path("prices", source)
    if not path.is_file():
        absent = f"does not exist{describe_place(source, path)}"
        fault = "is a folder" if path.is_dir() else "is a pipe or a device" if path.exists() else absent
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
    except InputError:
        raise
    except Exception as error:  # libraries raise any kind of error for a damaged workbook
        raise PriceFileError(f"prices {path.name}: cannot be read ({first_line(error)})") from error
    name = find_column(table.columns, date_columns)
    if table.empty or name is None:
        columns = ", ".join(map(repr, table.columns)) or "none"
        lacking = "rows" if name else f"column {date_columns[0]}; its columns are {columns}"
        raise PriceFileError(f"prices {path.name}: has no {lacking}")
    words = table[name].fillna("").astype("str").str.replace(_ZONE, r"\1", regex=True)
    try:
        days = parse_dates(words, "UTC", None).times.dt.normalize()
    except DateOrderError as error:
        raise PriceFileError(f"prices {path.name}: {error}; write dates as 2025-03-04") from error
    latest = datetime.now(UTC).replace(tzinfo=None) + _AHEAD
    return table, days.where(days.between(datetime(_FIRST_YEAR, 1, 1), latest))  # noqa: DTZ001 (without a zone)


def _read(path: Path) -> pd.DataFrame:
    if path.suffix.lower() == ".parquet":
        table = _with_index(pd.read_parquet(path)).astype("object").map(_spell).astype("str")
    elif path.suffix.lower() == ".xlsx":
        cells = pd.read_excel(path, engine="openpyxl", **_WORDS_ARE_TEXT)
        table = cells.astype("object").map(_spell).astype("str")
    else:
        text = decode(path.read_bytes(), path.name, DataSettings(source=path.name), "cp1252").whole()
        head = text[:4_000].partition("\n")[0]
        delimiter = max(",;\t|", key=head.count)
        table = pd.read_csv(StringIO(text), sep=delimiter, dtype="str", skipinitialspace=True, **_WORDS_ARE_TEXT)
        if delimiter == ";":  # files that delimit with it may write decimals with a comma
            table = table.apply(_settle_decimals)
    table.columns = table.columns.map(str)  # a workbook may have the number of a stock for a name
    return table.loc[:, ~table.columns.str.fullmatch(_UNNAMED)]


def _with_index(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its index as columns, unless it only numbers the rows."""
    index = table.index
    if index.nlevels == 1 and index.name is None:
        if is_integer_dtype(index) or "date" in table.columns:
            return table
        index.name = "date"
    return table.reset_index()


def _settle_decimals(cells: pd.Series) -> pd.Series:
    """A column with a point before the decimals; where the comma stands there, points separate thousands."""
    is_number = cells.str.fullmatch(r"-?\d[\d.,]*", na=False)
    if _find_decimal_sign(cells[is_number]) == ".":
        return cells
    plain = cells.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return cells.where(~is_number, plain)


def _find_decimal_sign(numbers: pd.Series) -> str:
    """Which of comma and point stands before the decimals.

    A number with both has it last. Else a sign that is not always followed by three digits stands before decimals. One
    that always is separates thousands where some numbers lack it, or one has it twice: 998 and 1,012; 1,012,000.
    """
    both = numbers[numbers.str.contains(",") & numbers.str.contains(".", regex=False)]
    if len(both):
        return max(",.", key=both.iloc[0].rfind)
    for sign, other in (",.", ".,"):
        used = numbers[numbers.str.contains(sign, regex=False)]
        if used.empty:
            continue
        has_threes = used.str.fullmatch(rf"-?\d{{1,3}}(?:\{sign}\d{{3}})+").all()
        is_everywhere = len(used) == len(numbers) and used.str.count(rf"\{sign}").max() == 1
        return sign if is_everywhere or not has_threes else other
    return "."


def _spell(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 (NaN and NaT differ from themselves)
        return ""
    return str(value)

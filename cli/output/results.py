"""The answer to a query as text, delivered: a table for people, CSV or JSON for programs."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.output.console import StandardOutput
from reporting.csv_rows import CsvRows
from schemas.errors import InputError
from schemas.files import appearing_file
from schemas.text import show_text

if TYPE_CHECKING:
    from storage.query import QueryResult


ROWS_FOR_WIDTHS = 1_000
Note = Callable[[str], object]


class UndeliverableError(InputError):
    """Standard output cannot take the answer."""


class RepeatedColumnError(InputError):
    """Two columns of an answer have one name, and JSON objects could keep only one of them."""


def render(result: "QueryResult", form: str, *, raw: bool = False, note: Note = lambda _: None) -> Iterator[str]:
    """Render an answer, piece by piece.

    Args:
        result: Columns and rows.
        form: `table`, `csv` or `json`.
        raw: Of a CSV, keep text as it is that a spreadsheet would take for a formula; else a `'` is put before it.
        note: Is told at the end how many cells of a CSV got one, if any did.

    Returns:
        Text that ends in a line break. JSON is a list of objects; NULL is `null` there and empty elsewhere, and so are
        NaN and infinity in JSON, which cannot say them. Lists and structs are JSON in a table and in CSV too. A table's
        columns are as wide as their widest value in the first `ROWS_FOR_WIDTHS` rows; nothing is cut, so a wider value
        after them pushes its line to the right.

    Raises:
        RepeatedColumnError: JSON is asked for and a column's name stands twice.
    """
    if form == "csv":
        return _as_csv(result, raw=raw, note=note)
    if form == "json":
        return _as_json(result)
    return _as_table(result)


def deliver(pieces: Iterable[str], output: Path | None, *, may_be_file: bool = True) -> None:
    """Write an answer to a file, which appears when it is whole, or to standard output.

    Args:
        pieces: The answer.
        output: The file; standard output if None.
        may_be_file: Whether the command has `--output`.

    Raises:
        OutputError: The file cannot be written.
        UndeliverableError: Standard output has an encoding without some character.
    """
    if output is not None:
        with appearing_file(output) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        return
    out = StandardOutput()
    for piece in pieces:
        try:
            out.write(piece)
        except UnicodeEncodeError as error:
            sign, other = ascii(error.object[error.start]), ", or use --output" if may_be_file else ""
            raise UndeliverableError(
                f"standard output: its encoding {error.encoding} has no {sign}; set PYTHONIOENCODING=utf-8{other}"
            ) from error


def _as_json(result: "QueryResult") -> Iterator[str]:
    name, times = Counter(result.columns).most_common(1)[0]
    if times > 1:
        raise RepeatedColumnError(f"sql: {times} columns are named {name!r}, JSON takes one: rename them with AS")
    before = "["
    for row in result.rows:
        text = to_json(dict(zip(result.columns, map(_plain, row), strict=True)), indent=2)
        yield f"{before}\n  {text.replace(chr(10), chr(10) + '  ')}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _as_csv(result: "QueryResult", *, raw: bool, note: Note) -> Iterator[str]:
    rows = CsvRows(raw=raw)
    yield rows.format(result.columns)
    for row in result.rows:
        yield rows.format(_as_cell(value) for value in row)
    rows.tell(note)


def _as_cell(value: Any) -> Any:
    """A value as a cell of a CSV: text as text, and everything else as it is spelled, which is no formula."""
    return value if isinstance(value, str | int | float | None) and not isinstance(value, bool) else _spell(value)


def _as_table(result: "QueryResult") -> Iterator[str]:
    """Columns padded to their widest value, numbers to the right; never cut, so that a pipe loses nothing."""
    rows = iter(result.rows)
    first = list(islice(rows, ROWS_FOR_WIDTHS))
    names = [show(name) for name in result.columns]
    numeric = [
        all(isinstance(row[column], int | float | Decimal) or row[column] is None for row in first)
        for column in range(len(names))
    ]
    shown = [[show(value) for value in row] for row in first]
    widths = [max(len(name), *(len(row[i]) for row in shown), 0) for i, name in enumerate(names)]

    def lay_out(cells: list[str]) -> str:
        padded = zip(cells, widths, numeric, strict=True)
        line = "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in padded)
        return f"{line.rstrip()}\n"

    count = len(shown)
    yield from map(lay_out, [names, ["-" * width for width in widths], *shown])
    for row in rows:
        yield lay_out([show(value) for value in row])
        count += 1
    yield f"({count} row{'' if count == 1 else 's'})\n"


def show(value: Any) -> str:
    """A value as a cell of a table: one line, and nothing in it that would steer a terminal."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return show_text(_spell(value))


def _spell(value: Any) -> str:
    """A value with all its digits; lists, structs and truth values as JSON has them."""
    return to_json(_plain(value)) if isinstance(value, bool | list | tuple | dict) else str(value)


def _plain(value: Any) -> Any:
    """A value as JSON can say it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return _plain(float(value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def to_json(value: Any, indent: int | None = None) -> str:
    """A value of JSON's own kinds, as in JSON; no number there may be NaN or infinite."""
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)

"""Render and deliver the result of a query: a table for people, CSV or JSON for programs."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from cli.output.console import SafeConsole, StandardOutput, stdout
from cli.output.screen import MOST_COUNTED, Screen, cut, describe_cuts, fit_columns
from reporting.csv_rows import CsvRows
from schemas.errors import InputError
from schemas.files import appearing_file
from schemas.listing import count
from schemas.text import show_text

if TYPE_CHECKING:
    from storage.query import QueryResult


ROWS_FOR_WIDTHS = 1_000
Note = Callable[[str], object]


class RepeatedColumnError(InputError):
    """Two columns of an answer have the same name, and JSON objects could keep only one of them."""


def render(
    result: "QueryResult",
    form: str,
    *,
    raw: bool = False,
    note: Note = lambda _: None,
    screen: Screen | None = None,
) -> Iterator[str]:
    """Render an answer, piece by piece.

    Args:
        result: Columns and rows.
        form: `table`, `csv` or `json`.
        raw: In CSV, leave text unchanged that a spreadsheet would run as a formula; else a `'` is put before it.
        note: Receives at the end a line on how many cells of a CSV got a `'`, if any did.
        screen: The terminal that a table is for; None for a pipe or a file, which gets every row and every character.

    Returns:
        Text that ends in a line break. JSON is a list of objects. NULL is `null` in JSON and empty elsewhere; NaN and
        infinity, which JSON lacks, are `null` there. Lists and structs are JSON in a table and in CSV too. A table's
        columns are as wide as their widest value in the first `ROWS_FOR_WIDTHS` rows; a wider value after them pushes
        its line to the right. On a terminal the first rows are shown, cut to its width, and below them what was cut.

    Raises:
        RepeatedColumnError: JSON is requested and two columns have the same name.
    """
    if form == "csv":
        return _as_csv(result, raw=raw, note=note)
    if form == "json":
        return _as_json(result)
    return _as_table(result, screen)


def deliver(pieces: Iterable[str], output: Path | None, *, may_be_file: bool = True, is_captured: bool = False) -> None:
    """Write an answer to a file, which appears when it is whole, or to standard output.

    Args:
        pieces: The answer.
        output: The file; standard output if None.
        may_be_file: Whether the command has `--output`.
        is_captured: Whether a `SafeConsole` printed the pieces: what they contain was escaped then, and the escape
            codes left in them are its styles.

    Raises:
        OutputError: The file, or standard output, cannot be written.
        UndeliverableError: The encoding of standard output lacks a character.
    """
    if output is not None:
        with appearing_file(output) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        return
    StandardOutput(is_escaped=is_captured, may_be_file=may_be_file).writelines(pieces)


@contextmanager
def delivering_lines(output: Path | None) -> Iterator[SafeConsole]:
    """Provide a console, and `deliver` what the block printed on it; it has styles only on a colour terminal."""
    console = stdout if output is None else SafeConsole(highlight=False, color_system=None)
    with console.capture() as captured:
        yield console
    deliver([captured.get()], output, is_captured=True)


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
    rows.report(note)


def _as_cell(value: Any) -> Any:
    """A value as a cell of a CSV: text as it is, anything else as its spelling, which is never a formula."""
    return value if isinstance(value, str | int | float | None) and not isinstance(value, bool) else _spell(value)


def _as_table(result: "QueryResult", screen: Screen | None) -> Iterator[str]:
    """Pad columns to their widest value, numbers to the right; a table is cut only for a terminal."""
    rows = iter(result.rows)
    first = list(islice(rows, screen.rows if screen else ROWS_FOR_WIDTHS))
    names = [show(name) for name in result.columns]
    numeric = [all(_is_number(row[place]) for row in first) for place in range(len(names))]
    shown = [[show(value) for value in row] for row in first]
    whole = [max(cell_len(name), *(cell_len(row[i]) for row in shown), 0) for i, name in enumerate(names)]
    dated = [all(isinstance(row[place], date | None) for row in first) for place in range(len(names))]
    uncut = [is_number or is_date for is_number, is_date in zip(numeric, dated, strict=True)]
    widths = fit_columns(whole, uncut, screen.width) if screen else tuple(whole)

    def lay_out(cells: list[str]) -> str:
        padded = (_pad(cells[place], width, numeric[place], screen) for place, width in enumerate(widths))
        return f"{'  '.join(padded).rstrip()}\n"

    rule = ["-" * min(width, most) for width, most in zip(whole, widths, strict=False)]
    yield from map(lay_out, [names, rule, *shown])
    if screen:
        more = sum(1 for _ in islice(rows, MOST_COUNTED))
        yield f"({_count(len(shown), more)})\n"
        notes = describe_cuts(names, whole, widths, are_rows_cut=more > 0)
        yield "".join(f"{line}\n" for note in notes for line in wrap(note, screen.width, break_long_words=False))
        return
    count = len(shown)
    for row in rows:
        yield lay_out([show(value) for value in row])
        count += 1
    yield f"({_count(count)})\n"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) or value is None


def _pad(cell: str, width: int, is_number: bool, screen: Screen | None) -> str:  # noqa: FBT001
    """Pad a cell to a column; a wider one is cut on a terminal and pushes its line to the right elsewhere."""
    fitting = cut(cell, width) if screen else cell
    blanks = " " * (width - cell_len(fitting))
    return blanks + fitting if is_number else fitting + blanks


def _count(shown: int, more: int = 0) -> str:
    """How many rows there are, and how many of them are shown if not all."""
    rows = shown + more
    text = f"{'more than ' if more == MOST_COUNTED else ''}{count(rows, 'row')}"
    return f"{text}, the first {shown:,} shown" if more else text


def show(value: Any) -> str:
    """A value as a cell of a table: one line, without control characters."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return show_text(_spell(value))


def _spell(value: Any) -> str:
    """A value with all its digits; lists, structs and truth values as JSON has them."""
    return to_json(_plain(value)) if isinstance(value, bool | list | tuple | dict) else str(value)


def _plain(value: Any) -> Any:
    """A value as JSON can represent it."""
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
    """A value of JSON's own types as JSON; its numbers must be finite."""
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)

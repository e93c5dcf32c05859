"""The answer to a query as text, delivered: a table for people, CSV or JSON for programs. Knows rows, no warehouse."""

import csv
import io
import json
import math
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import InputError

if TYPE_CHECKING:
    from storage.query import QueryResult


class UndeliverableError(InputError):
    """The answer cannot be written where it was to go."""


class RepeatedColumnError(InputError):
    """Two columns of an answer have one name, and JSON objects could keep only one of them."""


def render(result: "QueryResult", form: str) -> str:
    """Render an answer.

    Args:
        result: Columns and rows.
        form: `table`, `csv` or `json`.

    Returns:
        Text that ends in a line break. JSON is a list of objects; NULL is `null` there and empty elsewhere, and so are
        NaN and infinity in JSON, which cannot say them. Lists and structs are JSON in a table and in CSV too.

    Raises:
        RepeatedColumnError: JSON is asked for and a column's name stands twice.
    """
    if form == "csv":
        return _as_csv(result)
    if form == "json":
        return _as_json(result)
    return _as_table(result)


def deliver(text: str, output: Path | None, *, may_be_file: bool = True) -> None:
    """Write an answer to a file, or to standard output; `may_be_file` tells whether the command has `--output`.

    Raises:
        UndeliverableError: The file cannot be written, or standard output has an encoding without some character.
    """
    try:
        if output is None:
            sys.stdout.write(text)
        else:
            output.write_text(text, encoding="utf-8")
    except UnicodeEncodeError as error:
        sign, other = ascii(error.object[error.start]), ", or use --output" if may_be_file else ""
        raise UndeliverableError(
            f"standard output: its encoding {error.encoding} has no {sign}; set PYTHONIOENCODING=utf-8{other}"
        ) from error
    except OSError as error:
        if output is None:
            raise
        raise UndeliverableError(
            f"output {output}: {error.strerror}; give a file in a folder that can be written"
        ) from error


def _as_json(result: "QueryResult") -> str:
    name, times = Counter(result.columns).most_common(1)[0]
    if times > 1:
        raise RepeatedColumnError(f"sql: {times} columns are named {name!r}, JSON takes one: rename them with AS")
    rows = [dict(zip(result.columns, map(_plain, row), strict=True)) for row in result.rows]
    return to_json(rows, indent=2) + "\n"


def _as_csv(result: "QueryResult") -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows([["" if value is None else _spell(value) for value in row] for row in result.rows])
    return buffer.getvalue()


def _as_table(result: "QueryResult") -> str:
    """Columns padded to their widest value, numbers to the right; never cut, so that a pipe loses nothing."""
    names = [show(name) for name in result.columns]
    cells = [[show(value) for value in row] for row in result.rows]
    numeric = [
        all(isinstance(row[column], int | float | Decimal) or row[column] is None for row in result.rows)
        for column in range(len(names))
    ]
    widths = [max(len(name), *(len(row[i]) for row in cells), 0) for i, name in enumerate(names)]
    lines = [names, ["-" * width for width in widths], *cells]
    text = [
        "  ".join(
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    ]
    count = f"({len(cells)} row{'' if len(cells) == 1 else 's'})"
    return "\n".join([*text, count]) + "\n"


def show(value: Any) -> str:
    """A value as a cell of a table: one line, and nothing in it that would steer a terminal."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _spell(value)
    return text if text.isprintable() else "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


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

"""The answer to a query as text: a table for people, CSV or JSON for programs. Knows rows; asks no warehouse."""

import csv
import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.query import QueryResult


def render(result: "QueryResult", form: str) -> str:
    """Render an answer.

    Args:
        result: Columns and rows.
        form: `table`, `csv` or `json`.

    Returns:
        Text that ends in a line break. JSON is a list of objects; NULL is `null` there and empty elsewhere.
    """
    if form == "csv":
        return _as_csv(result)
    if form == "json":
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        return json.dumps(rows, indent=2, default=str, ensure_ascii=False) + "\n"
    return _as_table(result)


def _as_csv(result: "QueryResult") -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(result.rows)
    return buffer.getvalue()


def _as_table(result: "QueryResult") -> str:
    """Columns padded to their widest value, numbers to the right; never cut, so that a pipe loses nothing."""
    cells = [[_show(value) for value in row] for row in result.rows]
    numeric = [
        all(isinstance(row[column], int | float) or row[column] is None for row in result.rows)
        for column in range(len(result.columns))
    ]
    widths = [max(len(name), *(len(row[i]) for row in cells), 0) for i, name in enumerate(result.columns)]
    lines = [result.columns, ["-" * width for width in widths], *cells]
    text = [
        "  ".join(
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    ]
    count = f"({len(cells)} row{'' if len(cells) == 1 else 's'})"
    return "\n".join([*text, count]) + "\n"


def _show(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).replace("\n", "\\n")

"""Rows with their columns by name: those of a query, and those to insert."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


def named_rows(cursor: "duckdb.DuckDBPyConnection") -> list[dict[str, Any]]:
    """The rows of an executed query that are not read yet, each from column to value."""
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def named_row(cursor: "duckdb.DuckDBPyConnection") -> dict[str, Any] | None:
    """The first row of an executed query; None if there is none."""
    return next(iter(named_rows(cursor)), None)


def as_row(names: Iterable[str]) -> str:
    """The parameters of a statement as a row with their names as columns, for INSERT ... BY NAME."""
    return "SELECT " + ", ".join(f"${name} AS {name}" for name in names)


def insert_frame(
    connection: "duckdb.DuckDBPyConnection", table: str, frame: "pd.DataFrame", **constants: object
) -> None:
    """Insert the rows of a frame, whose columns are some of the table's.

    Args:
        connection: One transaction.
        table: The table.
        frame: The rows.
        constants: Further columns, with the value that they have in all rows.
    """
    connection.register("incoming", frame)
    connection.execute(f"INSERT INTO {table} BY NAME {as_row(constants)}, * FROM incoming", constants)
    connection.unregister("incoming")

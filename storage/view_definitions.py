"""The views and macros of a warehouse, from the `.sql` files; defined again only where they are not of this version."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import duckdb


def define_views(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], *, is_migrated: bool) -> None:
    """Define views and macros, unless the warehouse has these already: all of them take .3 s, the check .01 s.

    Args:
        connection: A warehouse with every migration, within a transaction.
        files: The files that define them, in this order.
        is_migrated: Whether a migration ran in this transaction, after which a view may no longer fit its tables.
    """
    if not is_migrated and has_views(connection, files):
        return
    texts = _read(files)
    for text in texts:
        connection.execute(text)
    connection.execute(f"CREATE OR REPLACE MACRO ledger.views_stamp() AS '{_stamp(connection, texts)}'")


def has_views(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> bool:
    """Whether a warehouse has the views and macros that files define, as they define them."""
    return _read_stamp(connection) == _stamp(connection, _read(files))


def _read(files: Sequence[Path]) -> list[str]:
    return [file.read_text(encoding="utf-8") for file in files]


def _stamp(connection: duckdb.DuckDBPyConnection, texts: Sequence[str]) -> str:
    """A hash of the definitions and of the existing views with their comments.

    A view that is changed by hand loses its comment, and is defined again. DuckDB's text of a view is no part of the
    hash: in the file formats of older versions it changes when the file is opened again.
    """
    views = connection.execute(
        "SELECT schema_name, view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
    return hashlib.sha256(repr((list(texts), views)).encode()).hexdigest()


def _read_stamp(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The hash when views were last defined; None if an older version defined them."""
    try:
        [(stamp,)] = connection.execute("SELECT ledger.views_stamp()").fetchall()
    except duckdb.CatalogException:
        return None
    return str(stamp)

"""A user's own SQL on the warehouse: it reads the warehouse and nothing else. Knows no table; light to import."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import InputError
from storage import warehouse
from storage.warehouse import is_up_to_date, reading

_CONFINE = """
SET temp_directory = '';
SET secret_directory = '';
SET autoload_known_extensions = false;
SET autoinstall_known_extensions = false;
SET enable_external_access = false;
SET python_enable_replacements = false;
SET disabled_filesystems = 'LocalFileSystem';
SET lock_configuration = true;
"""
"""No spill file, network, extension or variable of this program, no place but the warehouse's in what a setting shows,
and no setting after these.

Without external access COPY may still overwrite the open file and its log, even in a read-only session, and
`WITH x AS (COPY ...) FROM x` counts as a SELECT; only taking the file system away shuts that.
"""

_ALLOWED = {"SELECT", "EXPLAIN", "MULTI"}
"""Kinds of statements; the last is what DuckDB makes of PIVOT."""

_USERS_FAULT = (
    duckdb.ProgrammingError,
    duckdb.DataError,
    duckdb.NotSupportedError,
    duckdb.PermissionException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,  # of functions that would checkpoint
)


_OLD = "; an older fintone made the warehouse, and `fintone report` brings it up to date"


class QueryError(InputError):
    """The user's SQL is wrong, or does something else than read the warehouse."""


@dataclass(frozen=True)
class QueryResult:
    """What a query gave: `rows` hold Python values, one for each of `columns` (names may repeat)."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def query(path: Path, sql: str) -> QueryResult:
    """Run one query on the warehouse at `path`, opened as by `storage.warehouse.reading`, for a person who waits.

    Raises:
        QueryError: No query, more than one, one that does not only read the warehouse, or one that DuckDB refuses.
    """
    with reading(path, warehouse.QUERY_PATIENCE) as connection:
        connection.execute(_CONFINE)
        try:
            connection.execute(_only_query(connection.extract_statements(sql)))
            return QueryResult(tuple(column[0] for column in connection.description), connection.fetchall())
        except _USERS_FAULT as error:
            old = "" if is_up_to_date(connection) else _OLD
            raise QueryError(f"sql: {_one_line(error)}{old}") from error


def _only_query(statements: list[duckdb.Statement]) -> duckdb.Statement:
    if len(statements) != 1:
        raise QueryError(f"sql: {len(statements)} statements given; give one query, such as FROM studies")
    [statement] = statements
    kind = _name_kind(statement)
    if kind not in _ALLOWED:
        raise QueryError(f"sql: {kind} is not a query; a SELECT that reads the warehouse is")
    return statement


def _name_kind(statement: duckdb.Statement) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # DuckDB knows more kinds than its binding
        return "this"


def _one_line(error: duckdb.Error) -> str:
    """DuckDB's message without its sketch of the place; for what is shut off, what is allowed."""
    message = " ".join(str(error).split("\n\nLINE")[0].split())
    if isinstance(error, duckdb.PermissionException):
        return f"a query reads the warehouse only, no other file, network or extension ({message})"
    return message

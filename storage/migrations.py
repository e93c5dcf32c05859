"""The migrations of a warehouse: those that this version knows, those that a file has, and how missing ones run."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from schemas.listing import list_some
from schemas.reasons import first_line
from storage.unfit import WarehouseGapError, WarehouseMissingError, WarehouseTooNewError, not_a_warehouse
from storage.view_definitions import define_views, has_views

SQL_FOLDER = Path(__file__).parent / "sql"
MIGRATIONS_FOLDER = SQL_FOLDER / "migrations"
_VIEWS = (
    "macros.sql",
    "views.sql",
    "data_views.sql",
    "metric_views.sql",
    "comparison_views.sql",
    "score_views.sql",
    "time_views.sql",
    "report_views.sql",
    "ladder_views.sql",
    "fold_views.sql",
    "market_views.sql",
)
VIEWS_FILES = tuple(SQL_FOLDER / name for name in _VIEWS)


def known_migrations() -> dict[int, Path]:
    """The files `NNNN_name.sql` by their number, ascending."""
    return {int(file.name[:4]): file for file in sorted(MIGRATIONS_FOLDER.glob("*.sql"))}


def recorded_migrations(connection: duckdb.DuckDBPyConnection, path: Path) -> set[int]:
    """The numbers of the migrations that the file records; none for a file without a table.

    Args:
        connection: The file, open.
        path: Its path, for messages.

    Raises:
        NotAWarehouseError: It has tables that are not ours.
        WarehouseTooNewError: It has migrations that this version does not know.
    """
    try:
        recorded = _read_numbers(connection)
    except duckdb.CatalogException:  # to list all tables first would take longer than to open the file
        _check_empty(connection, path)
        return set()
    last, newest = max(recorded), max(known_migrations())
    if last > newest:
        raise WarehouseTooNewError(
            f"warehouse {path}: a newer fintone made it (migration {last}, this one knows {newest}); upgrade fintone"
        )
    return recorded


def missing_migrations(recorded: Collection[int]) -> dict[int, Path]:
    """Those of `known_migrations` that are not recorded; a version between two releases may have left out any."""
    return {number: file for number, file in known_migrations().items() if number not in recorded}


def complete_until(recorded: Collection[int]) -> int:
    """The last migration up to which none is missing."""
    return min(missing_migrations(recorded), default=max(known_migrations()) + 1) - 1


def check_prepared(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a file that this version cannot read.

    Raises:
        WarehouseMissingError: It has no table.
        NotAWarehouseError, WarehouseTooNewError: As `recorded_migrations` does.
    """
    if not recorded_migrations(connection, path):
        raise WarehouseMissingError(f"warehouse {path}: it is empty; run `fintone run` first, or set FINTONE_HOME")


def is_up_to_date(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the warehouse has every migration; one that is only read may lack some."""
    return not missing_migrations(_read_numbers(connection))


def lacks_nothing(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether a file, which may have no table, has every migration and the views of this version.

    Raises:
        NotAWarehouseError, WarehouseTooNewError: As `recorded_migrations` does.
    """
    return not missing_migrations(recorded_migrations(connection, path)) and has_views(connection, VIEWS_FILES)


def apply_migrations(connection: duckdb.DuckDBPyConnection, migrations: Mapping[int, Path], at: datetime) -> None:
    """Run migrations by their number, and define the views where they are not those of this version.

    Args:
        connection: A warehouse, within a transaction.
        migrations: Those of `known_migrations` that it lacks.
        at: The time in UTC that is recorded for them, without a zone.
    """
    for number, migration in migrations.items():
        connection.execute(migration.read_text(encoding="utf-8"))
        record = "INSERT INTO fintone_migrations (number, name, applied_at) VALUES (?, ?, ?)"
        connection.execute(record, [number, migration.stem, at])
    define_views(connection, VIEWS_FILES, is_migrated=bool(migrations))


@contextmanager
def explaining_gaps(path: Path, recorded: Collection[int], missing: Collection[int]) -> Iterator[None]:
    """Name the gap in an error of one line if a migration fails in the block.

    Args:
        path: The file, for messages.
        recorded: As returned by `recorded_migrations`.
        missing: The numbers of those that run in the block.

    Raises:
        WarehouseGapError: Some are from before the newest that is recorded, and DuckDB refused what they change.
    """
    try:
        yield
    except (duckdb.OperationalError, duckdb.FatalException, duckdb.InterruptException):
        raise  # a full disk, too little memory or Ctrl-C, of which no gap is the cause
    except duckdb.Error as error:
        skipped = [str(number) for number in missing if number < max(recorded, default=0)]
        if not skipped:
            raise
        raise WarehouseGapError(
            f"warehouse {path}: a fintone between two versions made it; of its migrations it lacks "
            f"{list_some(skipped)}, which cannot follow {max(recorded)}: {first_line(error)}; begin with a "
            "new FINTONE_HOME"
        ) from error


def _read_numbers(connection: duckdb.DuckDBPyConnection) -> set[int]:
    return {number for (number,) in connection.execute("SELECT number FROM fintone_migrations").fetchall()}


def _check_empty(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    tables = connection.execute("SELECT min(table_name) FROM information_schema.tables").fetchall()
    if tables != [(None,)]:
        raise not_a_warehouse(path, f"a DuckDB file of another program, with the table {tables[0][0]}")

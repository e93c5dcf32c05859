"""Orders of rows: as they were written, by a number since a clock can be set back, and as people read them."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import duckdb

PART_ORDER = "list_position(['train', 'validation', 'test'], part)"
LEADERBOARD_ORDER = "place, temperature"
"""Of the view `leaderboard`: see `ledger.places`."""

Ordered = Literal["champions", "studies", "sources", "snapshots", "source_visits"]
"""Tables whose column `number` orders their rows in time."""


def next_number(connection: "duckdb.DuckDBPyConnection", table: Ordered) -> int:
    """The number of the row that this transaction adds to a table; no other process writes at the same time."""
    [(number,)] = connection.execute(f"SELECT coalesce(max(number), 0) + 1 FROM {table}").fetchall()  # noqa: S608
    return int(number)

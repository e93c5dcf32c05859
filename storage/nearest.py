"""The id or name in the warehouse that is nearest to one that a person mistyped."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.nearest import describe_nearest, find_nearest

if TYPE_CHECKING:
    import duckdb

_NAMED = {
    "study": "SELECT study_id AS id, name FROM studies",
    "cell": "SELECT cell_id, name FROM study_cells",
    "snapshot": "SELECT snapshot_id, NULL FROM snapshots",
}
LEAST_LIKENESS = 0.75
"""Least likeness of ids, which differ less than words do: one wrong character of four."""


def suggest(connection: "duckdb.DuckDBPyConnection", text: str, kinds: Sequence[str] = tuple(_NAMED)) -> str:
    """A question for the nearest name, or for the id whose beginning is nearest, as `, did you mean '3f9a11112222'?`.

    Args:
        connection: A connection to the warehouse.
        text: The text that names nothing.
        kinds: What may be meant: `study`, `cell`, `snapshot`.
    """
    rows = connection.execute(" UNION ".join(_NAMED[kind] for kind in kinds)).fetchall()
    known = {name: name for _, name in rows if name} | {identifier[: len(text)]: identifier for identifier, _ in rows}
    near = find_nearest(text, known, LEAST_LIKENESS)
    return describe_nearest(None if near is None else known[near])

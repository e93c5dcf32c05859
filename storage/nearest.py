"""What a person may have meant by an id or name that the warehouse does not have."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.nearest import describe_nearest, find_nearest
from schemas.promotion import CHAMPION

if TYPE_CHECKING:
    import duckdb

_NAMED = {
    "study": "SELECT study_id AS id, name FROM studies",
    "cell": "SELECT cell_id AS id, name FROM study_cells",
    "snapshot": "SELECT snapshot_id AS id, NULL AS name FROM snapshots",
}
LEAST_LIKENESS = 0.75
"""Least likeness of ids, which differ less than words do: one wrong character of four."""


def suggest(connection: "duckdb.DuckDBPyConnection", text: str, kinds: Sequence[str] = tuple(_NAMED)) -> str:
    """A question for the nearest name, or for the id whose beginning is nearest, as `, did you mean '3f9a11112222'?`.

    If the text is the name or the beginning of the id of something else, that is said: `, but study 37c1... is`.

    Args:
        connection: A connection to the warehouse.
        text: The text that names nothing of these kinds.
        kinds: What may be meant: `study`, `cell`, `snapshot`.
    """
    for kind in [other for other in _NAMED if other not in kinds]:
        of_kind = f"SELECT min(id) FROM ({_NAMED[kind]}) WHERE name = $text OR starts_with(id, $text)"  # noqa: S608
        [(found,)] = connection.execute(of_kind, {"text": text}).fetchall()
        if found:
            return f", but {kind} {found} is"
    rows = connection.execute(" UNION ".join(_NAMED[kind] for kind in kinds)).fetchall()
    known = {name: name for _, name in rows if name} | {identifier[: len(text)]: identifier for identifier, _ in rows}
    known |= {CHAMPION: CHAMPION} if "cell" in kinds else {}
    near = find_nearest(text, known, LEAST_LIKENESS)
    return describe_nearest(None if near is None else known[near])

"""Finds what a person names by an id, the beginning of one, or a name, and suggests what one who mistypes may mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from schemas.errors import InputError
from schemas.listing import list_some
from schemas.nearest import describe_nearest, find_nearest
from schemas.promotion import CHAMPION
from storage.champions import read_champion
from storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

Kind = Literal["study", "cell"]
"""The kinds to which a command may restrict what it looks up."""
SHORTEST_PREFIX = 4
"""The least characters of an id that a person may give instead of the whole id."""
LEAST_LIKENESS = 0.75
"""Least likeness of ids, which differ less than words do: one wrong character of four."""
_ENTRIES: tuple[str, ...] = (
    "SELECT 'study' AS kind, study_id AS id, name FROM studies",
    "SELECT 'cell', cell_id, name FROM cells LEFT JOIN ledger.latest_studies USING (cell_id)",
    "SELECT 'snapshot', snapshot_id, NULL FROM snapshots",
    "SELECT 'decision', champion_id, NULL FROM champions",
)
"""What people look up most, by kind, id and name; as the beginning of an id, these go before `_PARTS`."""
_NAMED = (_ENTRIES[0], "SELECT 'cell', cell_id, name FROM study_cells")
"""What has a name; a cell has one in each of its studies."""
_PARTS: tuple[str, ...] = (
    "SELECT 'split' AS kind, split_id AS id, NULL AS name FROM split_settings",
    "SELECT 'ingestion', ingest_id, NULL FROM sources",
    "SELECT 'evaluation', evaluation_id, NULL FROM evaluations",
    "SELECT 'scoring', scoring_id, NULL FROM scorings",
    "SELECT 'headline', headline_id, NULL FROM headlines",
)
_SUGGESTED = (*_NAMED, _ENTRIES[2])
"""What a mistyped text may mean: studies, cells and snapshots."""
_LISTED = {"study": "`fintone list` lists them", "cell": "`fintone list cells` lists them"}


class UnknownIdError(InputError):
    """Nothing has this id or this name."""


class AmbiguousIdError(InputError):
    """Several entries have this name, or ids with this beginning; or the beginning is too short."""


class Entry(NamedTuple):
    """Something that has an id."""

    kind: str
    identifier: str
    name: str | None

    def __str__(self) -> str:
        """Kind, id and name, as in `cell 3f9a11112222 (lr=2e-04)`."""
        return f"{self.kind} {self.identifier}{f' ({self.name})' if self.name else ''}"


def find_entry(warehouse: Path, text: str, kind: Kind | None = None) -> Entry:
    """What a person means: the entry with this id, else with this name, else with the only id that begins with it.

    Args:
        warehouse: The DuckDB file.
        text: An id, its beginning, a name, or `champion`, which is a cell.
        kind: Only entries of this kind; of any if not given.

    Raises:
        UnknownIdError: It names nothing, or there is no champion.
        AmbiguousIdError: It names several entries, or is too short.
    """
    with reading(warehouse) as connection:
        if text == CHAMPION and kind != "study":
            return _find_champion(connection)
        for queries, condition in (((*_ENTRIES, *_PARTS), "id = $text"), (_NAMED, "name = $text")):
            if found := _find(connection, queries, condition, text, kind):
                return _choose(text, found, kind)
        if len(text) < SHORTEST_PREFIX:
            needed = f"give a name, or the first {SHORTEST_PREFIX} characters or more of an id"
            raise AmbiguousIdError(f"{kind or 'id'} {text!r}: {needed}")
        for queries in (_ENTRIES, _PARTS):
            if found := _find(connection, queries, "starts_with(id, $text)", text, kind):
                return _choose(text, found, kind)
        hint = _suggest(connection, text, kind)
    if kind:
        raise unknown(kind, text, hint)
    raise UnknownIdError(f"{text}: no id or name{hint}; `fintone list` shows studies, `fintone list cells` cells")


def find_study(warehouse: Path, text: str | None) -> str:
    """The id of the study that a person means; of the latest one if None.

    Raises:
        UnknownIdError: There is none.
        AmbiguousIdError: There are several, or the text is too short.
    """
    if text is not None:
        return find_entry(warehouse, text, "study").identifier
    with reading(warehouse) as connection:
        latest = connection.execute("SELECT study_id FROM studies ORDER BY number DESC LIMIT 1").fetchone()
    if latest is None:
        raise UnknownIdError(f"warehouse {warehouse}: no study has run; {_LISTED['study']}")
    return str(latest[0])


def unknown(kind: Kind, identifier: str, hint: str = "") -> UnknownIdError:
    """The error for an id that the warehouse does not have, with a hint such as the nearest one."""
    return UnknownIdError(f"{kind} {identifier}: not in the warehouse{hint}; {_LISTED[kind]}")


def _find(
    connection: "duckdb.DuckDBPyConnection", queries: Sequence[str], condition: str, text: str, kind: Kind | None
) -> list[Entry]:
    query = (
        f"SELECT DISTINCT kind, id, name FROM ({' UNION ALL '.join(queries)})"  # noqa: S608
        f" WHERE {condition} AND kind = coalesce($kind, kind) ORDER BY ALL"
    )
    return [Entry(*row) for row in connection.execute(query, {"text": text, "kind": kind}).fetchall()]


def _choose(text: str, found: Sequence[Entry], kind: Kind | None) -> Entry:
    if len(found) > 1:
        listed = list_some([str(entry) for entry in found])
        named = f"{kind} {text}" if kind else text
        raise AmbiguousIdError(f"{named}: {len(found)} things match: {listed}; give an id, or more of it")
    return found[0]


def _find_champion(connection: "duckdb.DuckDBPyConnection") -> Entry:
    champion = read_champion(connection)
    if champion is None:
        raise UnknownIdError(
            f"{CHAMPION}: no cell has been promoted yet; a run that passes the gate makes one, or `fintone promote`"
        )
    return Entry(CHAMPION, champion.cell_id, None)


def _suggest(connection: "duckdb.DuckDBPyConnection", text: str, kind: Kind | None) -> str:
    """A question for the nearest name, or for the id whose beginning is nearest, as `, did you mean '3f9a11112222'?`.

    That the text names something of another kind is said: `, but study 37c1... is`.
    """
    entries = [Entry(*row) for row in connection.execute(f"{' UNION '.join(_SUGGESTED)} ORDER BY ALL").fetchall()]
    for entry in entries:
        if kind not in (None, entry.kind) and (entry.name == text or entry.identifier.startswith(text)):
            return f", but {entry.kind} {entry.identifier} is"
    meant = [entry for entry in entries if kind in (None, entry.kind)]
    known = {entry.name: entry.name for entry in meant if entry.name}
    known |= {entry.identifier[: len(text)]: entry.identifier for entry in meant}
    known |= {CHAMPION: CHAMPION} if kind != "study" else {}
    near = find_nearest(text, known, LEAST_LIKENESS)
    return describe_nearest(None if near is None else known[near])

"""Finds what a person names by an id of any kind, the beginning of one, or a name."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.errors import InputError
from schemas.listing import list_some
from schemas.promotion import CHAMPION
from storage.cells import NO_CHAMPION, SHORTEST_PREFIX
from storage.nearest import suggest
from storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

_ENTRIES: tuple[str, ...] = (
    "SELECT 'study' AS kind, study_id AS id, name FROM studies",
    "SELECT 'cell', cell_id, names.name FROM cells LEFT JOIN ledger.latest_names AS names USING (cell_id)",
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


class UnknownIdError(InputError):
    """Nothing has this id or this name."""


class AmbiguousIdError(InputError):
    """Several entries have this name, or ids with this beginning."""


class Entry(NamedTuple):
    """Something that has an id."""

    kind: str
    identifier: str
    name: str | None

    def __str__(self) -> str:
        """Kind, id and name, as in `cell 3f9a11112222 (lr=2e-04)`."""
        return f"{self.kind} {self.identifier}{f' ({self.name})' if self.name else ''}"


def find_entry(warehouse: Path, text: str) -> Entry:
    """What a person means: the entry with this id, else with this name, else with the only id that begins with it.

    Raises:
        UnknownIdError: It names nothing, or there is no champion.
        AmbiguousIdError: It names several entries, or is too short.
    """
    with reading(warehouse) as connection:
        if text == CHAMPION:
            return _find_champion(connection)
        for queries, condition in (((*_ENTRIES, *_PARTS), "id = $text"), (_NAMED, "name = $text")):
            if found := _find(connection, queries, condition, text):
                return _choose(text, found)
        if len(text) < SHORTEST_PREFIX:
            raise AmbiguousIdError(f"id {text!r}: give it whole, or its first {SHORTEST_PREFIX} characters or more")
        for queries in (_ENTRIES, _PARTS):
            if found := _find(connection, queries, "starts_with(id, $text)", text):
                return _choose(text, found)
        hint = suggest(connection, text)
    raise UnknownIdError(f"{text}: no id or name{hint}; `fintone list` shows studies, `fintone list cells` cells")


def _find(connection: "duckdb.DuckDBPyConnection", queries: Sequence[str], condition: str, text: str) -> list[Entry]:
    query = f"SELECT DISTINCT kind, id, name FROM ({' UNION ALL '.join(queries)}) WHERE {condition} ORDER BY ALL"  # noqa: S608
    return [Entry(*row) for row in connection.execute(query, {"text": text}).fetchall()]


def _choose(text: str, found: Sequence[Entry]) -> Entry:
    if len(found) > 1:
        listed = list_some([str(entry) for entry in found])
        raise AmbiguousIdError(f"{text}: {len(found)} things match: {listed}; give an id, or more of it")
    return found[0]


def _find_champion(connection: "duckdb.DuckDBPyConnection") -> Entry:
    from storage.champions import read_champion

    champion = read_champion(connection)
    if champion is None:
        raise UnknownIdError(NO_CHAMPION)
    return Entry(CHAMPION, champion.cell_id, None)

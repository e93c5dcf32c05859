"""Deletes a study with all that no other study has. Its decisions, and so the looks at test, stay."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import InputError
from storage.champions import read_champion
from storage.warehouse import reading, writing

if TYPE_CHECKING:
    import duckdb

_OWN_CELLS = (
    "SELECT cell_id FROM study_cells WHERE study_id = $study_id AND cell_id NOT IN"
    " (SELECT cell_id FROM study_cells WHERE study_id <> $study_id) ORDER BY position"
)
_SHARED_CELLS = (
    "SELECT DISTINCT cell_id FROM study_cells WHERE study_id = $study_id AND cell_id IN"
    " (SELECT cell_id FROM study_cells WHERE study_id <> $study_id) ORDER BY cell_id"
)
_EVALUATIONS = (
    "SELECT evaluation_id FROM evaluations WHERE list_contains($own, cell_id) OR (evaluation_id IN"
    " (SELECT evaluation_id FROM ledger.study_evaluations WHERE study_id = $study_id) AND evaluation_id NOT IN"
    " (SELECT evaluation_id FROM ledger.study_evaluations WHERE study_id <> $study_id)"
    " AND cell_id IS DISTINCT FROM $champion) ORDER BY evaluation_id"
)


class ChampionsStudyError(InputError):
    """The champion would be deleted with the study."""


@dataclass(frozen=True)
class Deletion:
    """What is deleted with a study, and which of its cells stay since other studies have them."""

    study_id: str
    cells: tuple[str, ...]
    """Ids of cells that no other study has."""
    shared_cells: tuple[str, ...]
    evaluations: tuple[str, ...]
    former_champions: tuple[str, ...]
    """Ids of those `cells` that were champion once."""


def plan_deletion(warehouse: Path, study_id: str) -> Deletion:
    """What would be deleted with a study.

    Raises:
        ChampionsStudyError: The champion would be deleted.
    """
    with reading(warehouse) as connection:
        return _plan(connection, study_id)


def delete_study(warehouse: Path, study_id: str) -> Deletion:
    """Delete a study from the warehouse, in one transaction.

    Raises:
        ChampionsStudyError: The champion would be deleted.
    """
    from storage.evaluations import LEDGER_TABLES

    with writing(warehouse) as connection:
        deletion = _plan(connection, study_id)
        ids = {"evaluations": list(deletion.evaluations), "cells": list(deletion.cells)}
        for table in (*LEDGER_TABLES, "evaluations"):
            _delete(connection, table, "evaluation_id IN (SELECT unnest($ids))", ids=ids["evaluations"])
        for table in ("training_log", "ledger.pauses", "cells"):
            _delete(connection, table, "cell_id IN (SELECT unnest($ids))", ids=ids["cells"])
        for table in ("ledger.comparisons", "ledger.drops", "study_cells", "studies"):
            _delete(connection, table, "study_id = $study_id", study_id=study_id)
    return deletion


def _plan(connection: "duckdb.DuckDBPyConnection", study_id: str) -> Deletion:
    own_cells = _fetch_ids(connection, _OWN_CELLS, study_id=study_id)
    champion = read_champion(connection)
    if champion and champion.cell_id in own_cells:
        raise ChampionsStudyError(
            f"study {study_id}: has the champion, cell {champion.cell_id}, which no other study has; promote another "
            "cell first"
        )
    values = {"study_id": study_id, "own": list(own_cells), "champion": champion.cell_id if champion else None}
    before = "SELECT DISTINCT champion_cell_id FROM champions WHERE list_contains($own, champion_cell_id) ORDER BY ALL"
    return Deletion(
        study_id=study_id,
        cells=own_cells,
        shared_cells=_fetch_ids(connection, _SHARED_CELLS, study_id=study_id),
        evaluations=_fetch_ids(connection, _EVALUATIONS, **values),
        former_champions=_fetch_ids(connection, before, own=list(own_cells)),
    )


def _fetch_ids(connection: "duckdb.DuckDBPyConnection", query: str, **values: object) -> tuple[str, ...]:
    return tuple(identifier for (identifier,) in connection.execute(query, values).fetchall())


def _delete(connection: "duckdb.DuckDBPyConnection", table: str, condition: str, **values: object) -> None:
    connection.execute(f"DELETE FROM {table} WHERE {condition}", values)  # noqa: S608 (our own names)

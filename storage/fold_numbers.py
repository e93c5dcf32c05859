"""Which fold each headline of a study is in, for comparisons of cells. Light to import."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

_UNDIVIDED = "cells.kind = 'base' AND NOT shows(cells.hyperparameters, 'examples')"
"""An untouched base whose prompt has nothing from a fold: one model answers all headlines."""


def load_fold_numbers(warehouse: Path, study_id: str, part: str) -> NDArray[np.int64] | None:
    """[N] the fold of each headline of a part of a study, from 0, in the order of their ids; None without folds."""
    with reading(warehouse) as connection:
        numbers = connection.execute(
            "SELECT fold - 1 AS fold FROM studies JOIN split_folds USING (split_id)"
            " JOIN splits ON splits.split_id = fold_split_id WHERE study_id = ? AND part = ? ORDER BY headline_id",
            [study_id, part],
        ).fetchnumpy()["fold"]
    return np.asarray(numbers, dtype=np.int64) if len(numbers) else None


def load_undivided(warehouse: Path, study_id: str) -> set[str]:
    """The cells of a study that answer all its folds with one model."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            f"SELECT cell_id FROM study_cells JOIN cells USING (cell_id) WHERE study_id = ? AND {_UNDIVIDED}",  # noqa: S608 (our own condition)
            [study_id],
        ).fetchall()
    return {cell_id for (cell_id,) in rows}


def read_folds(
    connection: "duckdb.DuckDBPyConnection", evaluation_id: str, other_evaluation_id: str
) -> dict[str, NDArray[np.int64]]:
    """How the headlines that two evaluations share are divided among models, in the order of the headlines' ids.

    Returns:
        [N] the fold of each headline, from 0, by the split that is divided: those of the evaluations that pool at least
        two folds, each with a model of its own.
    """
    numbers = connection.execute(
        "SELECT own.split_id, dense_rank() OVER (PARTITION BY own.split_id ORDER BY fold) - 1 AS fold"  # noqa: S608 (our own condition)
        " FROM (SELECT DISTINCT evaluations.split_id, evaluations.part FROM evaluations JOIN cells USING (cell_id)"
        f" WHERE list_contains($ids, evaluation_id) AND NOT ({_UNDIVIDED})) AS own"
        " JOIN split_folds USING (split_id) JOIN splits ON splits.split_id = fold_split_id AND splits.part = own.part"
        " WHERE headline_id IN (SELECT headline_id FROM ledger.predictions WHERE list_contains($ids, evaluation_id)"
        " GROUP BY headline_id HAVING count(*) = 2) ORDER BY own.split_id, headline_id",
        {"ids": [evaluation_id, other_evaluation_id]},
    ).fetchnumpy()
    each = ((split, numbers["fold"][numbers["split_id"] == split]) for split in np.unique(numbers["split_id"]))
    return {str(split): np.asarray(folds, dtype=np.int64) for split, folds in each if folds.max() > 0}

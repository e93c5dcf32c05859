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


def read_common_folds(
    connection: "duckdb.DuckDBPyConnection", evaluation_id: str, other_evaluation_id: str
) -> NDArray[np.int64] | None:
    """[N] the fold of each headline of two evaluations, from 0, in the order of the headlines' ids.

    None unless both pool the same folds, and unless one of them has a model for each fold.
    """
    numbers = connection.execute(
        "SELECT fold - 1 AS fold FROM evaluations AS own JOIN evaluations AS other USING (split_id, part)"  # noqa: S608 (our own condition)
        " JOIN split_folds USING (split_id) JOIN splits ON splits.split_id = fold_split_id AND splits.part = own.part"
        " WHERE own.evaluation_id = ? AND other.evaluation_id = ? AND EXISTS (FROM cells WHERE cell_id IN"
        f" (own.cell_id, other.cell_id) AND NOT ({_UNDIVIDED})) ORDER BY headline_id",
        [evaluation_id, other_evaluation_id],
    ).fetchnumpy()["fold"]
    return np.asarray(numbers, dtype=np.int64) if len(numbers) else None

"""The tables of results: evaluations and the ledger of predictions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from duckdb import DuckDBPyConnection

from schemas.report import Chosen
from storage.judging import JUDGING, LATEST
from storage.named_rows import named_row, named_rows
from storage.order import LEADERBOARD_ORDER
from storage.warehouse import reading, utc_now, writing

LEDGER_TABLES = ("ledger.predictions", "ledger.draws", "ledger.temperature_curves")
"""The tables in which an evaluation has rows."""


@dataclass(frozen=True)
class EvaluationRecord:
    """One cell on one part of the split at one temperature; temperature and decoding are None for a baseline."""

    evaluation_id: str
    cell_id: str
    split_id: str
    part: str
    temperature: float | None
    decoding_id: str | None
    top_k: int | None
    top_p: float | None
    draw_seed: int | None
    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    macro_f1_low: float | None
    macro_f1_high: float | None
    expected_accuracy: float | None
    expected_accuracy_low: float | None
    expected_accuracy_high: float | None
    unparsed_rate: float | None
    strict_accuracy: float | None
    argmax_accuracy: float | None
    argmax_macro_f1: float | None
    draws: int | None
    seconds: float
    headlines_per_second: float


def save_evaluations(
    warehouse: Path,
    evaluations: Sequence[EvaluationRecord],
    predictions: pd.DataFrame,
    draws: pd.DataFrame | None = None,
    curves: pd.DataFrame | None = None,
) -> None:
    """Save evaluations, their predictions and draws in one transaction, except those that another process has saved.

    This also marks a base model or a baseline as finished, since it is only evaluated.

    Args:
        warehouse: The DuckDB file.
        evaluations: At least one.
        predictions: Columns of `ledger.predictions`; one row for each headline and evaluation.
        draws: Columns of `ledger.draws`; one row for each draw and evaluation. None where nothing is drawn.
        curves: Columns of `ledger.temperature_curves`. None where nothing is sampled.
    """
    figures = pd.DataFrame([asdict(evaluation) for evaluation in evaluations]).assign(evaluated_at=utc_now())
    with writing(warehouse) as connection:
        connection.register("figures", figures)
        connection.execute(
            "CREATE TEMP TABLE saved AS SELECT evaluation_id FROM figures ANTI JOIN evaluations USING (evaluation_id)"
        )
        ledger = zip(LEDGER_TABLES, (predictions, draws, curves), strict=True)
        for table, rows in (("evaluations", figures), *ledger):
            if rows is not None:
                connection.register("incoming", rows)
                connection.execute(f"INSERT INTO {table} BY NAME FROM incoming SEMI JOIN saved USING (evaluation_id)")
        connection.execute(
            "UPDATE cells SET status = 'finished', reason = NULL, environment = '{}', finished_at = ?"
            " WHERE kind <> 'fine-tuned' AND cell_id IN (SELECT cell_id FROM figures)",
            [utc_now()],
        )


def load_evaluated(warehouse: Path, cell_id: str) -> set[str]:
    """The ids of the evaluations that a cell has."""
    with reading(warehouse) as connection:
        rows = connection.execute("SELECT evaluation_id FROM evaluations WHERE cell_id = ?", [cell_id]).fetchall()
    return {evaluation_id for (evaluation_id,) in rows}


def load_best(warehouse: Path, study_id: str) -> Chosen | None:
    """The fine-tuned cell and the temperature that validation chooses (see `model_selection`); None without any.

    The choice is by the expected accuracy (see `leaderboard`) on each label, averaged over the labels. Validation holds
    what train and test leave, so its labels may be far from balanced, and a model that always answers one label must
    not win by that.
    """
    with reading(warehouse) as connection:
        found = connection.execute(
            "SELECT cell_id, cell_name, temperature FROM model_selection WHERE study_id = ? AND choice = 1", [study_id]
        ).fetchone()
    return Chosen(*found) if found else None


def forget_evaluations(warehouse: Path, cell_id: str) -> None:
    """Delete a cell's evaluations, predictions and draws, since it is trained again, and its studies' comparisons."""
    with writing(warehouse) as connection:
        evaluations = connection.execute("SELECT evaluation_id FROM evaluations WHERE cell_id = ?", [cell_id])
        _forget(connection, [evaluation_id for (evaluation_id,) in evaluations.fetchall()])


def forget_outdated_pools(warehouse: Path, cell_id: str, fold_cells: Sequence[str]) -> None:
    """Delete a pooled cell's evaluations that a fold lacks or has made later, and comparisons of studies with them.

    Args:
        warehouse: The DuckDB file.
        cell_id: The cell that pools the folds.
        fold_cells: The cell of each fold.
    """
    with writing(warehouse) as connection:
        outdated = connection.execute(
            "SELECT pooled.evaluation_id FROM evaluations AS pooled, unnest($fold_cells) AS fold_cells(fold_cell)"
            " LEFT JOIN evaluations AS own ON own.cell_id = fold_cell AND own.part = pooled.part"
            " AND own.temperature IS NOT DISTINCT FROM pooled.temperature"
            " AND own.decoding_id IS NOT DISTINCT FROM pooled.decoding_id"
            " WHERE pooled.cell_id = $cell_id AND coalesce(own.evaluated_at >= pooled.evaluated_at, true)",
            {"cell_id": cell_id, "fold_cells": list(fold_cells)},
        )
        _forget(connection, sorted({evaluation_id for (evaluation_id,) in outdated.fetchall()}))


def _forget(connection: DuckDBPyConnection, evaluations: Sequence[str]) -> None:
    connection.execute(
        "DELETE FROM ledger.comparisons WHERE study_id IN"
        " (SELECT study_id FROM ledger.study_evaluations WHERE list_contains(?, evaluation_id))",
        [evaluations],
    )
    for table in (*LEDGER_TABLES, "evaluations"):
        connection.execute(f"DELETE FROM {table} WHERE list_contains(?, evaluation_id)", [evaluations])  # noqa: S608 (no outside text)


def load_test_figures(
    warehouse: Path, cell_id: str, temperature: float, *, as_promoted: bool = True
) -> dict[str, Any] | None:
    """A cell's evaluation at a temperature on the test part of its own split; None without one.

    Studies may evaluate it with several decodings. Where it was promoted at this temperature, the evaluation by which
    that was decided counts, else the latest one: what another study evaluates later changes no champion's answers.

    Args:
        warehouse: The DuckDB file.
        cell_id: The cell.
        temperature: The sampling temperature.
        as_promoted: Whether earlier promotions of the cell count; else it is the latest evaluation.
    """
    judging = JUDGING if as_promoted else LATEST
    with reading(warehouse) as connection:
        cursor = connection.execute(f"FROM ({judging}) WHERE cell_id = ? AND temperature = ?", [cell_id, temperature])
        return named_row(cursor)


def find_shared_evaluation(warehouse: Path, cell_id: str, temperature: float, evaluation_id: str) -> str | None:
    """A cell's evaluation on test that shares the most headlines with another's, the latest of several; else None."""
    with reading(warehouse) as connection:
        found = connection.execute(
            "SELECT theirs.evaluation_id FROM ledger.predictions AS own"
            " JOIN ledger.predictions AS theirs USING (headline_id)"
            " JOIN evaluations ON evaluations.evaluation_id = theirs.evaluation_id"
            " WHERE own.evaluation_id = ? AND cell_id = ? AND temperature = ? AND evaluations.part = 'test'"
            " GROUP BY theirs.evaluation_id ORDER BY count(*) DESC, max(evaluated_at) DESC LIMIT 1",
            [evaluation_id, cell_id, temperature],
        ).fetchone()
    return found[0] if found else None


def load_leaderboard(warehouse: Path, study_id: str) -> list[dict[str, Any]]:
    """The study's leaderboard on test, cell by cell in their places, by temperature."""
    with reading(warehouse) as connection:
        cursor = connection.execute(
            f"FROM leaderboard WHERE study_id = ? AND part = 'test' ORDER BY {LEADERBOARD_ORDER}", [study_id]
        )
        return named_rows(cursor)

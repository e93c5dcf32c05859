"""Evaluations in place of those of a fixture, which `save_evaluations` leaves as another process saved them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from storage.evaluations import LEDGER_TABLES, EvaluationRecord, save_evaluations
from storage.warehouse import writing


def replace_evaluations(
    warehouse: Path,
    evaluations: Sequence[EvaluationRecord],
    predictions: pd.DataFrame,
    draws: pd.DataFrame | None = None,
) -> None:
    """Save evaluations with their predictions and draws, after those with the same ids are deleted."""
    ids = [each.evaluation_id for each in evaluations]
    with writing(warehouse) as connection:
        for table in ("evaluations", *LEDGER_TABLES):
            connection.execute(f"DELETE FROM {table} WHERE list_contains(?, evaluation_id)", [ids])
    save_evaluations(warehouse, evaluations, predictions, draws)

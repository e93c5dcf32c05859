"""How `retrain` runs a study of folds: first the cells of each fold, then the pooling of their answers."""

from collections.abc import Mapping
from functools import partial

from flows.cells import divide, do_all, plan_pace, run_in_turn, score_bases
from schemas.plan import StudyPlan
from tasks.folds import pool_folds


def run_folds(study: StudyPlan, most: Mapping[str, int]) -> None:
    """Run the fine-tunes and untouched bases of a study on each fold, and pool them; there is no race.

    Args:
        study: The study, with folds.
        most: How many cells of each family are trained side by side; 1 for a family that is missing.
    """
    whole = study.cells_without_folds
    calls = score_bases(study, whole, plan_pace(study, (), most, whole))
    for fold in study.folds:
        pace = plan_pace(fold, fold.cells, most, fold.base_cells)
        calls += score_bases(fold, fold.base_cells, pace)
        calls += divide(fold, fold.cells, most, partial(run_in_turn, fold, pace))
    do_all(study, calls)
    pool_folds(study)

"""How `retrain` runs a study of folds: the cells of each fold, then what they answered together."""

from collections.abc import Mapping
from functools import partial

from flows.cells import divide, do_all, plan_pace, run_in_turn, score_bases
from schemas.plan import StudyPlan
from tasks.folds import pool_folds


def run_folds(study: StudyPlan, most: Mapping[str, int]) -> None:
    """Run the fine-tunes and untouched bases of a study on each fold, and pool them; there is no race.

    Args:
        study: The study, with folds.
        most: How many cells of a family are trained side by side; 1 where it does not say.
    """
    whole = study.asked_whole
    works = score_bases(study, whole, plan_pace(study, (), most, whole))
    for fold in study.folds:
        pace = plan_pace(fold, fold.cells, most, fold.base_cells)
        works += score_bases(fold, fold.base_cells, pace)
        works += divide(fold, fold.cells, most, partial(run_in_turn, fold, pace))
    do_all(study, works)
    pool_folds(study)

"""The task that pools the folds of a study."""

from prefect import task

from schemas.listing import list_some
from schemas.plan import StudyPlan
from tasks.progress import announce


@task(task_run_name="pool folds")
def pool_folds(study: StudyPlan) -> None:
    """Pool what the cells of all folds answered: one line of the leaderboard for each cell of the grid."""
    from operations import folds

    missing = folds.pool_folds(study)
    incomplete = f"; a fold is missing for {list_some(missing)}" if missing else ""
    announce(f"pooled {study.config.split.repeats}{incomplete}")

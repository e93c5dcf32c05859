"""Tasks around a study: plan it, and extend it by the epoch curve."""

from prefect import task

from operations import planning
from operations.missing import find_best
from operations.reruns import describe_reruns
from operations.steps import warn_of_few_steps
from reporting.verdict import describe_cutoffs
from schemas.config import StudyConfig
from schemas.listing import count
from schemas.plan import CellPlan, IngestedSource, StudyPlan
from storage.home import Home
from storage.studies import load_cutoffs
from storage.warehouse import reading_together
from tasks.progress import announce


@task(task_run_name="plan study {config.name}")
def plan_study(config: StudyConfig, ingested: IngestedSource, split_id: str) -> StudyPlan:
    """Find and check the base models and the encoder, lay out all cells, and record them as planned."""
    from storage.splits import count_train

    study = planning.plan_study(config, ingested, split_id)
    models = list(dict.fromkeys(cell.model for cell in study.cells))
    each = f", each on {config.split.repeats}" if study.folds else ""
    announce(
        f"study {study.study_id}: base model {', '.join(models)}, {count(len(study.cells), 'cell')} to fine-tune{each}",
        cells=[cell.name for plan in (study, *study.folds) for cell in _list_to_do(plan)],
    )
    warehouse = Home.from_environment().warehouse
    with reading_together(warehouse):
        again, cutoffs = describe_reruns(warehouse, study), load_cutoffs(warehouse, study.study_id)
        train = count_train(warehouse, study.runs[0].split_id)  # of the first fold: all have as many
    for line in again:
        announce(f"done again: {line}")
    announce(_describe_steps(study, train))
    few = warn_of_few_steps([cell.settings for cell in study.cells], train, config.split)
    if few:
        announce(f"warning: {few}")
    for note in describe_cutoffs(cutoffs, is_only=len(models) == 1):
        announce(f"note: {note}")
    return study


def _list_to_do(plan: StudyPlan) -> list[CellPlan]:
    """The cells that a plan itself trains or evaluates, in order; if it has folds, their plans have the other cells."""
    from learning.study.grid import running_order

    return (
        [*plan.cells_without_folds] if plan.folds else [*plan.baselines, *plan.base_cells, *running_order(plan.cells)]
    )


@task(task_run_name="plan epoch curve")
def plan_epoch_curve(study: StudyPlan) -> StudyPlan:
    """Choose the cell that is best on validation, and add it with the epochs of the curve to the study.

    Returns:
        The study with the cells of the curve that it did not have, and no others.

    Raises:
        NothingTrainedError: No fine-tuned cell has been evaluated.
    """
    from learning.study.fold_plan import take_cells
    from learning.study.grid import plan_curves

    warehouse = Home.from_environment().warehouse
    found = find_best(warehouse, study.study_id).cell_id
    best = next(cell for cell in (*study.cells, *plan_curves(study, study.cells)) if cell.cell_id == found)
    curve = take_cells(study, plan_curves(study, [best]))
    planning.add_plan(curve)
    announce(
        f"epoch curve: {count(len(curve.cells), 'more cell')}, as {best.name}, best on validation",
        cells=[cell.name for plan in curve.runs for cell in _list_to_do(plan)],
    )
    return curve


def _describe_steps(study: StudyPlan, train: int) -> str:
    """How many steps the grid trains on `train` headlines, and how many it would without sharing them between cells."""
    from learning.training.schedule import count_steps_alone, count_trained_steps

    cells = [cell.settings for cell in study.cells]
    trained, alone = (len(study.runs) * steps(cells, train) for steps in (count_trained_steps, count_steps_alone))
    shared = f", where each cell alone would take {alone:,} in all" if trained < alone else ""
    return f"steps of the grid: {trained:,}{shared}"

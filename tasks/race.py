"""Tasks of a race: train cells to the end of an epoch, evaluate them on validation, and drop those that are worse."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from prefect import task
from prefect.runtime import task_run

from learning.models.fine_tune import FineTune
from operations.race import drop_cells, has_answered, identify_pause, save_answers
from operations.records import load_scored_parts
from operations.worker import base_spec, drop_shared, run_job
from reporting.verdict import describe_drop
from schemas.plan import ModelCell, StudyPlan
from storage.home import Home
from tasks.cells import is_worth_a_retry, locking, running
from tasks.progress import Progress, announce, note
from tasks.training import checkpoint_store, is_trained, train_in_a_job

if TYPE_CHECKING:
    from pathlib import Path


def _name_pause() -> str:
    cells: Sequence[ModelCell] = task_run.parameters["cells"]
    names = ", ".join(cell.name for cell in cells)
    return f"train {names} to the end of epoch {task_run.parameters['epoch']}"


@task(task_run_name=_name_pause, retry_condition_fn=is_worth_a_retry)
def pause_cells(study: StudyPlan, cells: Sequence[ModelCell], positions: Sequence[str], epoch: int) -> None:
    """Train cells to the end of an epoch in one job, and evaluate each on validation; they go on from there later.

    Args:
        study: The study of the cells.
        cells: No two of them share a training that does not depend on the number of epochs.
        positions: The prefix of each cell's lines, as in `cell 2/6 `.
        epoch: The epoch.
    """
    with locking(cells, {checkpoint_store(cell).training_id for cell in cells}):
        left = {
            cell: position
            for cell, position in zip(cells, positions, strict=True)
            if not has_answered(study, cell, epoch) and not is_trained(cell)
        }
        if left:
            _pause(study, left, epoch)


def _pause(study: StudyPlan, cells: Mapping[ModelCell, str], epoch: int) -> None:
    """Train and evaluate; the temporary adapters are deleted afterwards, and the checkpoints stay."""
    from storage.cell_progress import pause_cell

    home = Home.from_environment()
    folders = [home.adapter(identify_pause(study, cell, epoch)) for cell in cells]
    with ExitStack() as stack:
        for folder in folders:
            stack.callback(_drop_adapter, folder)
        for cell, position in cells.items():
            stack.enter_context(running(cell, position))
        outcomes = train_in_a_job(study, cells, f"train {len(cells)} cells to epoch {epoch}", folders, epoch)
        for (cell, position), folder, outcome in zip(cells.items(), folders, outcomes, strict=True):
            _evaluate(study, cell, epoch, FineTune(folder, outcome.adapter_hash), f"{position}evaluate {cell.name}")
            pause_cell(home.warehouse, cell.cell_id)
            note(f"{cell.name} pauses", cell=cell.name, state="to come", result=f"waits after epoch {epoch}")


def _evaluate(study: StudyPlan, cell: ModelCell, epoch: int, fine_tune: FineTune, title: str) -> None:
    """Evaluate the adapter of a paused training on validation, at the lowest temperature."""
    from learning.prompt.not_finite import NotFiniteError
    from learning.worker.jobs import ScoringJob

    [part], decoding = load_scored_parts(study, cell, ["validation"]), study.config.decoding
    lowest = decoding.model_copy(update={"temperatures": (min(decoding.temperatures),), "draws": 1})
    job = ScoringJob(base_spec(cell), fine_tune, [part], cell.settings.prompt, lowest)
    progress = Progress(title, len(part.texts))
    try:
        [result] = run_job(job, progress.update, progress.title)
    except NotFiniteError as error:
        announce(f"{title}: {error}; it is not compared")
        return
    save_answers(study, cell, epoch, result)
    accuracy = f"validation accuracy {result.metrics.accuracy:.3f} after epoch {epoch}"
    announce(f"{title}: {accuracy}")


def _drop_adapter(folder: "Path") -> None:
    shutil.rmtree(folder, ignore_errors=True)
    drop_shared([folder.name], [])


@task(task_run_name="compare cells after epoch {epoch}")
def judge_epoch(study: StudyPlan, epoch: int) -> tuple[str, ...]:
    """Drop the cells whose training is significantly worse than the best at the end of an epoch.

    Returns:
        The names of the dropped cells.
    """
    dropped = drop_cells(study, epoch)
    names = {cell.cell_id: cell.name for cell in study.cells}
    for name, drop in ((each.name, each.drop) for each in dropped):
        reason = describe_drop(drop.epoch, drop.p_value)
        figures = f"accuracy {drop.accuracy:.3f}, against {drop.best_accuracy:.3f} of {names[drop.best_cell_id]}"
        announce(f"{name}: {reason}: {figures}", cell=name, state="dropped", result=reason)
    if not dropped:
        announce(f"after epoch {epoch} no cell is significantly worse than the best: all go on")
    return tuple(each.name for each in dropped)

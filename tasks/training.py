"""Tasks that train adapters, and check the base models before; what is trained already is not trained again."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task
from prefect.client.schemas.objects import State
from prefect.runtime import task_run

from operations.records import cell_outcome, load_train
from operations.worker import base_spec, drop_shared, run_job
from schemas.plan import CellPlan, ModelCell, StudyPlan
from storage.home import Home
from tasks.cells import is_worth_a_retry, locking, running, skipped
from tasks.progress import announce
from tasks.step_log import StepLog

if TYPE_CHECKING:
    from learning.training.checkpoints import CheckpointStore
    from learning.training.recipe import Recipe, TrainingOutcome, TrainingStep

ATTEMPTS_ALIKE = 2
"""Attempts at a cell with the same number of headlines a pass."""


def _name_check() -> str:
    study: StudyPlan = task_run.parameters["study"]
    return f"check base model {', '.join(dict.fromkeys(cell.model for cell in study.cells))}"


@task(task_run_name=_name_check)
def check_bases(study: StudyPlan) -> dict[str, int]:
    """Load each base model before anything trains, if any cell still needs it: one that does not fit ends the study.

    Returns:
        How many trainings go side by side on this machine, for each family of cells (`learning.study.grid.family_of`);
        empty where no cell needs a base.

    Raises:
        InputError: A base model does not fit.
    """
    from learning.study.grid import family_of, running_order
    from learning.worker.jobs import CheckingJob
    from operations.models import lacks_adapters
    from storage.cells import load_missing

    home = Home.from_environment()
    missing = load_missing(home.warehouse, study.study_id)
    if all(cell.record.kind == "baseline" for cell in missing) and not lacks_adapters(home, study.study_id):
        return {}
    first_of = {family_of(cell): cell for cell in reversed(running_order(study.cells))}
    most: dict[str, int] = {}
    for family, cell in first_of.items():  # the first to be trained comes last: its base is then in memory
        job = CheckingJob(base_spec(cell), *load_train(study, cell), _recipe(cell, 1))
        most[family] = run_job(job, lambda _: None)
        report_ignored_number(cell, most[family])
    return most


def report_ignored_number(cell: ModelCell, most: int) -> None:
    """Announce that a number of trainings side by side has no effect, if the cell's trainings run one at a time."""
    wanted = cell.settings.training.side_by_side
    if wanted not in {"auto", 1} and most == 1:
        announce(
            f"base model {cell.base.name}: training.side_by_side = {wanted} has no effect, its cells share no pass"
        )


@task(task_run_name="train {cell.name}", retry_condition_fn=is_worth_a_retry)
def train_cell(study: StudyPlan, cell: ModelCell, position: str = "") -> State[None] | None:
    """Train the cell's adapter and record its log; `position` is put before what is shown, as in `cell 2/6 `.

    It resumes where an interrupted run, or a shorter cell of the same training, stopped. From the third attempt on a
    pass has fewer headlines, since a process that died twice most likely ran out of memory.
    """
    with locking([cell], [checkpoint_store(cell).training_id]):
        if is_trained(cell):
            return skipped(cell, "its adapter is trained")
        _run_training(study, {cell: position}, f"{position}train {cell.name}")
    return None


def _name_side_by_side() -> str:
    cells: Sequence[ModelCell] = task_run.parameters["cells"]
    return f"train {len(cells)} cells side by side: {', '.join(cell.name for cell in cells)}"


@task(task_run_name=_name_side_by_side, retry_condition_fn=is_worth_a_retry)
def train_side_by_side(study: StudyPlan, cells: Sequence[ModelCell], positions: Sequence[str]) -> frozenset[str]:
    """Train the adapters of several cells in one job, as `train_cell` does for one.

    Args:
        study: The study of the cells.
        cells: No two of them share a training that does not depend on the number of epochs.
        positions: The prefix of each cell's lines, as in `cell 2/6 `.

    Returns:
        The ids of the cells that it trained; the others were trained before.
    """
    with locking(cells, {checkpoint_store(cell).training_id for cell in cells}):
        left = {cell: position for cell, position in zip(cells, positions, strict=True) if not is_trained(cell)}
        if left:
            _run_training(study, left, f"train {len(left)} cells side by side")
    return frozenset(cell.cell_id for cell in left)


def _run_training(study: StudyPlan, cells: Mapping[ModelCell, str], title: str) -> None:
    """Train cells, each with its position, in one job, and record the outcome of each."""
    from storage.cell_progress import finish_cell
    from storage.evaluations import forget_evaluations

    home = Home.from_environment()
    with ExitStack() as stack:
        for cell, position in cells.items():
            forget_evaluations(home.warehouse, cell.cell_id)
            stack.enter_context(running(cell, position))
        outcomes = train_in_a_job(study, cells, title, [home.adapter(cell.cell_id) for cell in cells])
        for cell, outcome in zip(cells, outcomes, strict=True):
            finish_cell(home.warehouse, cell.cell_id, cell_outcome(cell, outcome))
    for (cell, position), outcome in zip(cells.items(), outcomes, strict=True):
        if outcome.diverged:
            at = f"at step {outcome.steps}"
            announce(f"{position}{cell.name}: its loss exploded or was not a number {at}; ended there")


def train_in_a_job(
    study: StudyPlan,
    cells: Mapping[ModelCell, str],
    title: str,
    folders: Sequence[Path],
    pause_epoch: int | None = None,
) -> "list[TrainingOutcome]":
    """Train cells in one job, side by side if there are several, and save their step logs.

    Args:
        study: The study of the cells.
        cells: The cells, each with the prefix of its lines, as in `cell 2/6 `.
        title: What is done, for people.
        folders: Where the adapter of each cell goes.
        pause_epoch: The epoch after which they pause; None to train them to their end.
    """
    from learning.training.recipe import Training
    from learning.worker.jobs import TrainingJob

    logs = [StepLog(cell, f"{position}train {cell.name}") for cell, position in cells.items()]
    attempt = task_run.run_count or 1
    trainings = tuple(
        Training(_recipe(cell, attempt), folder, checkpoint_store(cell), pause_epoch=pause_epoch)
        for cell, folder in zip(cells, folders, strict=True)
    )
    first = next(iter(cells))  # all have the same base model and prompt
    job = TrainingJob(base_spec(first), *load_train(study, first), trainings)
    outcomes = run_job(job, partial(_take_event, logs, title), title)
    for log, outcome in zip(logs, outcomes, strict=True):
        log.save(outcome)
    return outcomes


def _take_event(logs: Sequence[StepLog], title: str, event: "str | tuple[int, TrainingStep]") -> None:
    """Show an event of a training job: a line, or a step of one of its cells."""
    if isinstance(event, str):
        announce(f"{title}: {event}")
        return
    index, step = event
    logs[index].update(step)


def checkpoint_store(cell: ModelCell) -> "CheckpointStore":
    """The checkpoints of the cell's training, which all cells share that differ from it only in epochs."""
    from learning.training.checkpoints import CheckpointStore

    if cell.training_id is None:
        raise ValueError(f"cell {cell.cell_id} is {cell.kind}: only a fine-tuned cell is trained")
    return CheckpointStore(Home.from_environment().checkpoint(cell.training_id).absolute(), cell.training_id)


def drop_checkpoints(study: StudyPlan) -> None:
    """Delete the checkpoints of a finished study's trainings, and what machines share of its cells.

    What an unfinished study needs to continue stays, whether it is running or not.
    """
    from learning.study.grid import plan_curves
    from storage.cells import load_unfinished
    from storage.locks import holding_if_free

    warehouse, cells = Home.from_environment().warehouse, (*study.cells, *plan_curves(study, study.cells))
    needed = load_unfinished(warehouse)
    stores = {store.training_id: store for store in map(checkpoint_store, cells)}
    for training_id in stores.keys() - {cell.training_id for cell in needed}:
        with holding_if_free(warehouse, "training", training_id) as is_free:
            if is_free:
                shutil.rmtree(stores[training_id].root, ignore_errors=True)
                drop_shared([], [training_id])
    drop_shared({cell.cell_id for cell in cells} - {cell.cell_id for cell in needed}, [])


def _recipe(cell: ModelCell, attempt: int) -> "Recipe":
    """The recipe of the cell's training; from the third attempt on with fewer headlines a pass."""
    from learning.training.recipe import Recipe, first_micro_batch_size, smaller_micro_batch_size

    training = cell.settings.training
    if attempt > ATTEMPTS_ALIKE:
        size = first_micro_batch_size(training)
        for _ in range(attempt - ATTEMPTS_ALIKE):
            size = smaller_micro_batch_size(training.batch_size, size)
        training = training.model_copy(update={"micro_batch_size": size})
    return Recipe(cell.settings.prompt, cell.settings.lora, training)


def is_trained(cell: CellPlan) -> bool:
    """Whether the cell's adapter is there."""
    from storage.cells import DONE, load_cell

    home = Home.from_environment()
    return load_cell(home.warehouse, cell.cell_id).status in DONE and home.adapter(cell.cell_id).is_dir()

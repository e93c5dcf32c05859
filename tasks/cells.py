"""Tasks of cells: fit a baseline, train adapters, score a model. What is finished already is not done again."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.client.schemas.objects import State
from prefect.runtime import task_run
from prefect.states import Completed

from operations.draws import add_draws
from operations.records import (
    cell_outcome,
    evaluation_ids,
    load_asked_parts,
    load_part,
    load_parts,
    load_train,
    save_results,
)
from operations.worker import base_spec, drop_shared, run_job
from schemas.errors import FailureError, InputError
from schemas.plan import CellPlan, ModelCell, StudyPlan
from tasks.progress import Progress, announce, note
from tasks.step_log import StepLog

if TYPE_CHECKING:
    from learning.study.evaluation import Evaluation
    from learning.training.checkpoints import CheckpointStore
    from learning.training.recipe import Recipe, TrainingStep

INTERRUPTED = "interrupted by Ctrl-C or by a signal to end"
"""The reason of a cell that was at work then."""
ATTEMPTS_ALIKE = 2
"""Attempts at a cell with the same headlines a pass."""


@task(task_run_name="{cell.name}")
def evaluate_baseline(study: StudyPlan, cell: CellPlan) -> State[None] | None:
    """Fit a baseline on train and evaluate it on validation and test."""
    with _alone([cell]):
        if _is_evaluated(study, cell):
            return _skipped(cell, "its evaluations are in the warehouse")
        results = _run_baseline(study, cell)
    _announce_result(cell, results)
    return None


def _run_baseline(study: StudyPlan, cell: CellPlan) -> "list[Evaluation]":
    from learning.baselines import evaluation
    from storage.cells import save_cost
    from storage.home import Home

    with _running(cell):
        encoder = study.encoder.folder if study.encoder else None
        seed = study.config.split.effective_seed
        fitted = evaluation.fit_baseline(cell.model, load_part(study, "train"), seed, encoder)
        save_cost(Home.from_environment().warehouse, cell.cell_id, fitted.train_seconds, fitted.size_bytes)
        results = evaluation.evaluate_baseline(fitted.answer, load_parts(study))
        save_results(study, cell, results)
    return results


def _is_worth_a_retry(_: Any, __: Any, state: State[Any]) -> bool:
    """Whether a task that failed may do better at once: not where its input is at fault, or memory is too small."""
    try:
        state.result()
    except (InputError, FailureError) as error:
        from learning.worker.process import JobFailedError, WorkerDiedError

        return isinstance(error, JobFailedError | WorkerDiedError)
    except Exception:  # noqa: BLE001 (whatever else it was may pass)
        return True
    return False


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
    from storage.home import Home

    home = Home.from_environment()
    missing = load_missing(home.warehouse, study.study_id)
    if all(cell.record.kind == "baseline" for cell in missing) and not lacks_adapters(home, study.study_id):
        return {}
    first_of = {family_of(cell): cell for cell in reversed(running_order(study.cells))}
    most: dict[str, int] = {}
    for family, cell in first_of.items():  # the first to be trained comes last: its base is then in memory
        job = CheckingJob(base_spec(cell), *load_train(study, cell), _recipe(cell, 1))
        most[family] = run_job(job, lambda _: None)
    return most


@task(task_run_name="train {cell.name}", retry_condition_fn=_is_worth_a_retry)
def train_cell(study: StudyPlan, cell: ModelCell, position: str = "") -> State[None] | None:
    """Train the cell's adapter and record its log; `position` is put before what is shown, as in `cell 2/6 `.

    It goes on from where an interrupted run, or a shorter cell of the same training, has come to. From the third
    attempt on there are fewer headlines a pass, since a process that died twice most likely died for its memory.
    """
    with _alone([cell], [checkpoint_store(cell).training_id]):
        if _is_trained(cell):
            return _skipped(cell, "its adapter is trained")
        _run_training(study, {cell: position}, f"{position}train {cell.name}")
    return None


def _name_side_by_side() -> str:
    cells: Sequence[ModelCell] = task_run.parameters["cells"]
    return f"train {len(cells)} cells side by side: {', '.join(cell.name for cell in cells)}"


@task(task_run_name=_name_side_by_side, retry_condition_fn=_is_worth_a_retry)
def train_side_by_side(study: StudyPlan, cells: Sequence[ModelCell], positions: Sequence[str]) -> frozenset[str]:
    """Train the adapters of several cells in one job, as `train_cell` does for one.

    Args:
        study: Theirs.
        cells: No two of them share a training that does not depend on the number of epochs.
        positions: What is put before what is shown of each.

    Returns:
        The ids of those that it trained; the others were trained before.
    """
    with _alone(cells, {checkpoint_store(cell).training_id for cell in cells}):
        left = {cell: position for cell, position in zip(cells, positions, strict=True) if not _is_trained(cell)}
        if left:
            _run_training(study, left, f"train {len(left)} cells side by side")
    return frozenset(cell.cell_id for cell in left)


def _run_training(study: StudyPlan, cells: Mapping[ModelCell, str], title: str) -> None:
    """Train cells, each with its position, in one job, and record what came of each."""
    from learning.worker.jobs import PlannedTraining, TrainingJob
    from storage.cells import finish_cell
    from storage.evaluations import forget_evaluations
    from storage.home import Home

    home = Home.from_environment()
    logs = [StepLog(cell, f"{position}train {cell.name}") for cell, position in cells.items()]
    with ExitStack() as running:
        for cell, position in cells.items():
            forget_evaluations(home.warehouse, cell.cell_id)
            running.enter_context(_running(cell, position))
        trainings = tuple(
            PlannedTraining(
                _recipe(cell, task_run.run_count or 1),
                home.adapter(cell.cell_id),
                checkpoint_store(cell),
            )
            for cell in cells
        )
        first = next(iter(cells))  # all have the same base model and prompt
        job = TrainingJob(base_spec(first), *load_train(study, first), trainings)
        outcomes = run_job(job, partial(_take_event, logs, title), title)
        for cell, log, outcome in zip(cells, logs, outcomes, strict=True):
            log.save(outcome)
            finish_cell(home.warehouse, cell.cell_id, cell_outcome(cell, outcome))
    for (cell, position), outcome in zip(cells.items(), outcomes, strict=True):
        if outcome.diverged:
            at = f"at step {outcome.steps}"
            announce(f"{position}{cell.name}: its loss exploded or was no number {at}; ended there")


def _take_event(logs: Sequence[StepLog], title: str, event: "str | tuple[int, TrainingStep]") -> None:
    """Take what a training job tells: a line, or a step of one of its cells."""
    if isinstance(event, str):
        announce(f"{title}: {event}")
        return
    index, step = event
    logs[index].update(step)


@task(task_run_name="score {cell.name}", retry_condition_fn=_is_worth_a_retry)
def score_cell(study: StudyPlan, cell: ModelCell, position: str = "") -> State[None] | None:
    """Evaluate the cell, or the untouched base model, on validation and test at every temperature."""
    with _alone([cell]):
        add_draws(study, cell)
        if _is_evaluated(study, cell):
            return _skipped(cell, "its evaluations are in the warehouse")
        results = _run_scoring(study, cell, position)
    if isinstance(results, State):
        return results
    _announce_result(cell, results, position)
    return None


def _run_scoring(study: StudyPlan, cell: ModelCell, position: str) -> "list[Evaluation] | State[None]":
    from learning.prompt.not_finite import NotFiniteError
    from learning.worker.jobs import ScoringJob
    from storage.cells import explain_diverged
    from storage.home import Home

    home = Home.from_environment()
    parts = load_asked_parts(study, cell)
    progress = Progress(f"{position}score {cell.name}", sum(len(part.texts) for part in parts), cell.name)
    adapter = (None, None) if cell.kind == "base" else _find_adapter(cell, position)
    with _running(cell, position) if cell.kind == "base" else nullcontext():
        job = ScoringJob(base_spec(cell), adapter[0], parts, cell.settings.prompt, study.config.decoding, adapter[1])
        try:
            results = run_job(job, progress.update, progress.title)
        except NotFiniteError as error:
            if not explain_diverged(home.warehouse, cell.cell_id, str(error)):
                raise
            return _skipped(cell, f"its training diverged, {error}")
        save_results(study, cell, results)
    return results


def _find_adapter(cell: CellPlan, position: str) -> tuple[Path, str]:
    """The folder of a trained cell's adapter, and the hash that its files must have when it is loaded.

    Raises:
        AdapterError: They are not those that the cell trained; the cell has failed then, and its study's next run
            trains it again.
    """
    from learning.models.adapter_files import AdapterError
    from operations.models import find_adapter
    from storage.cells import fail_cell, load_cell, save_adapter_hash
    from storage.home import Home

    home = Home.from_environment()
    try:
        stored = load_cell(home.warehouse, cell.cell_id)
        folder, adapter_hash = find_adapter(home, stored)
    except AdapterError as error:
        fail_cell(home.warehouse, cell.cell_id, str(error), even_if_done=True)
        announce(f"{position}{cell.name} failed: {error}", cell=cell.name, state="failed", result="failed")
        raise
    if stored.outcome is None or stored.outcome.adapter_hash is None:
        save_adapter_hash(home.warehouse, cell.cell_id, adapter_hash)
    return folder, adapter_hash


def checkpoint_store(cell: ModelCell) -> "CheckpointStore":
    """Where the checkpoints of the cell's training lie, and of all cells that differ from it in epochs alone."""
    from learning.training.checkpoints import CheckpointStore
    from storage.home import Home

    if cell.training_id is None:
        raise ValueError(f"cell {cell.cell_id} is {cell.kind}: only a fine-tuned cell is trained")
    return CheckpointStore(Home.from_environment().checkpoints.absolute() / cell.training_id, cell.training_id)


def drop_checkpoints(study: StudyPlan) -> None:
    """Delete the checkpoints of a study's trainings, when its cells are done, but those that another study uses."""
    from learning.study.grid import plan_curves
    from storage.home import Home
    from storage.locks import holding_if_free

    warehouse, cells = Home.from_environment().warehouse, (*study.cells, *plan_curves(study))
    stores = [checkpoint_store(cell) for cell in cells]
    for store in {store.training_id: store for store in stores}.values():
        with holding_if_free(warehouse, "training", store.training_id) as is_free:
            if is_free:
                shutil.rmtree(store.root, ignore_errors=True)
    drop_shared({cell.cell_id for cell in cells}, {store.training_id for store in stores})


def _recipe(cell: ModelCell, attempt: int) -> "Recipe":
    """What the cell trains; from the third attempt on with fewer headlines a pass."""
    from learning.training.recipe import Recipe, first_micro_batch_size, largest_part

    training = cell.settings.training
    size = first_micro_batch_size(training)
    for _ in range(attempt - ATTEMPTS_ALIKE):
        size = largest_part(training.batch_size, max(size // 2, 1))
    return Recipe(cell.settings.prompt, cell.settings.lora, training.model_copy(update={"micro_batch_size": size}))


def _announce_result(cell: CellPlan, results: "list[Evaluation]", position: str = "") -> None:
    """Tell the accuracy on test at the lowest temperature, if there are any, with its interval."""
    best = min((result for result in results if result.part.name == "test"), key=lambda result: result.temperature or 0)
    low, high = best.metrics.accuracy_low, best.metrics.accuracy_high
    at = "" if best.temperature is None else f" at temperature {best.temperature:g}"
    told = f"test accuracy {best.metrics.accuracy:.3f} [{low:.3f}, {high:.3f}]"
    announce(f"{position}{cell.name}: {told}{at}", cell=cell.name, state="done", result=told)


@contextmanager
def _alone(cells: Iterable[CellPlan], training_ids: Iterable[str] = ()) -> Iterator[None]:
    """No other process works on the cells in the block, nor on their trainings: it waits, and looks again what is left.

    Every process takes locks in the same order, trainings first, so that no two wait for each other.
    """
    from storage.home import Home
    from storage.locks import holding

    warehouse = Home.from_environment().warehouse
    with ExitStack() as locks:
        for training_id in sorted(training_ids):
            locks.enter_context(holding(warehouse, "training", training_id))
        for cell_id in sorted(cell.cell_id for cell in cells):
            locks.enter_context(holding(warehouse, "cell", cell_id))
        yield


@contextmanager
def _running(cell: CellPlan, position: str = "") -> Iterator[None]:
    """The cell is running in the block, which finishes it; failed with the reason if the block raises."""
    from storage.cells import fail_cell, start_cell
    from storage.home import Home

    warehouse = Home.from_environment().warehouse
    start_cell(warehouse, cell.cell_id)
    note(f"{position}{cell.name} begins", cell=cell.name, state="running")
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception):
            fail_cell(warehouse, cell.cell_id, INTERRUPTED, "interrupted")
            raise
        told = str(error) if isinstance(error, InputError | FailureError) else f"{type(error).__name__}: {error}"
        told = told.removesuffix(": ")
        fail_cell(warehouse, cell.cell_id, told)
        announce(f"{position}{cell.name} died: {told}", cell=cell.name, state="failed", result="died")
        raise


def _skipped(cell: CellPlan, reason: str) -> State[None]:
    announce(f"{cell.name}: nothing to do, {reason}", cell=cell.name, state="done", result="there already")
    return Completed(name="Skipped", message=f"Nothing to do: {reason}.")


def _is_trained(cell: CellPlan) -> bool:
    from storage.cells import DONE, load_cell
    from storage.home import Home

    home = Home.from_environment()
    return load_cell(home.warehouse, cell.cell_id).status in DONE and home.adapter(cell.cell_id).is_dir()


def _is_evaluated(study: StudyPlan, cell: CellPlan) -> bool:
    from storage.evaluations import load_evaluated
    from storage.home import Home

    return set(evaluation_ids(study, cell).values()) <= load_evaluated(Home.from_environment().warehouse, cell.cell_id)

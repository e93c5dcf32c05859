"""Tasks of cells: fit a baseline, train adapters, score a model. What is finished already is not done again."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Literal

from prefect import task
from prefect.client.schemas.objects import State
from prefect.runtime import task_run
from prefect.states import Completed

from operations.draws import add_draws
from operations.records import cell_outcome, evaluation_ids, load_part, load_parts, save_results
from operations.worker import base_spec, drop_shared, run_job
from schemas.errors import FailureError, InputError
from schemas.plan import CellPlan, StudyPlan
from tasks.progress import Progress, announce, note
from tasks.step_log import StepLog
from tasks.study import curve_cells

ATTEMPTS_ALIKE = 2
"""Attempts at a cell with the same headlines a pass."""


@task(task_run_name="baseline {cell.title}")
def evaluate_baseline(study: StudyPlan, cell: CellPlan) -> State[None] | None:
    """Fit a baseline on train and evaluate it on validation and test."""
    with _alone([cell]):
        if _is_evaluated(study, cell):
            return _skipped(cell, "its evaluations are in the warehouse")
        results = _run_baseline(study, cell)
    _announce_result(cell, results)
    return None


def _run_baseline(study: StudyPlan, cell: CellPlan) -> list[Any]:
    from learning.baselines import evaluation

    with _running(cell):
        train, parts = load_part(study, "train"), load_parts(study)
        encoder = study.encoder.folder if study.encoder else None
        seed = study.config.split.seed
        results = evaluation.evaluate_baseline(cell.model, train, parts, seed, encoder)
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


@task(task_run_name="check base model {study.base.name}")
def check_base(study: StudyPlan) -> int | None:
    """Load the base model before anything trains, if any cell still needs it: one that does not fit ends the study.

    Returns:
        How many of the study's trainings go side by side on this machine; None where no cell needs the base.

    Raises:
        InputError: It does not fit.
    """
    from learning.worker.jobs import CheckingJob
    from operations.models import lacks_adapters
    from storage.home import Home
    from storage.studies import load_missing

    home = Home.from_environment()
    missing = load_missing(home.warehouse, study.study_id)
    if all(cell.record.kind == "baseline" for cell in missing) and not lacks_adapters(home, study.study_id):
        return None
    job = CheckingJob(base_spec(study), *_load_train(study), _recipe(study, study.cells[0], 1))
    most: int = run_job(job, lambda _: None)
    return most


@task(task_run_name="train {cell.title}", retry_condition_fn=_is_worth_a_retry)
def train_cell(study: StudyPlan, cell: CellPlan, position: str = "") -> State[None] | None:
    """Train the cell's adapter and record its log; `position` stands before what is shown, as in `cell 2/6 `.

    It goes on from where an interrupted run, or a shorter cell of the same training, has come to. From the third
    attempt on there are fewer headlines a pass, since a process that died twice most likely died for its memory.
    """
    with _alone([cell], [checkpoint_store(study, cell).training_id]):
        if _is_trained(cell):
            return _skipped(cell, "its adapter is trained")
        _run_training(study, {cell: position}, f"{position}train {cell.title}")
    return None


def _name_side_by_side() -> str:
    cells: Sequence[CellPlan] = task_run.parameters["cells"]
    return f"train {len(cells)} cells side by side: {', '.join(cell.title for cell in cells)}"


@task(task_run_name=_name_side_by_side, retry_condition_fn=_is_worth_a_retry)
def train_side_by_side(study: StudyPlan, cells: Sequence[CellPlan], positions: Sequence[str]) -> frozenset[str]:
    """Train the adapters of several cells in one job, as `train_cell` does for one.

    Args:
        study: Theirs.
        cells: No two of them share a training that does not depend on the number of epochs.
        positions: What stands before what is shown of each.

    Returns:
        The ids of those that it trained; the others were trained before.
    """
    with _alone(cells, {checkpoint_store(study, cell).training_id for cell in cells}):
        left = {cell: position for cell, position in zip(cells, positions, strict=True) if not _is_trained(cell)}
        if left:
            _run_training(study, left, f"train {len(left)} cells side by side")
    return frozenset(cell.cell_id for cell in left)


def _run_training(study: StudyPlan, cells: Mapping[CellPlan, str], title: str) -> None:
    """Train cells, each with its position, in one job, and record what came of each."""
    from learning.worker.jobs import PlannedTraining, TrainingJob
    from storage.evaluations import forget_evaluations
    from storage.home import Home
    from storage.studies import finish_cell

    home = Home.from_environment()
    logs = [StepLog(cell, f"{position}train {cell.title}") for cell, position in cells.items()]
    with ExitStack() as running:
        for cell, position in cells.items():
            forget_evaluations(home.warehouse, cell.cell_id)
            running.enter_context(_running(cell, position))
        trainings = tuple(
            PlannedTraining(
                _recipe(study, cell, task_run.run_count or 1),
                home.adapter(cell.cell_id),
                checkpoint_store(study, cell),
            )
            for cell in cells
        )
        job = TrainingJob(base_spec(study), *_load_train(study), trainings)
        outcomes = run_job(job, partial(_take_event, logs, title), title)
        for cell, log, outcome in zip(cells, logs, outcomes, strict=True):
            log.save(outcome)
            finish_cell(home.warehouse, cell.cell_id, cell_outcome(cell, outcome))
    for (cell, position), outcome in zip(cells.items(), outcomes, strict=True):
        if outcome.diverged:
            step = outcome.log[-1].step
            announce(f"{position}{cell.title}: its loss exploded or was no number at step {step}; ended there")


def _take_event(logs: Sequence[StepLog], title: str, event: Any) -> None:
    """Take what a training job tells: a line, or a step of one of its cells."""
    if isinstance(event, str):
        announce(f"{title}: {event}")
        return
    index, step = event
    logs[index].update(step)


def _load_train(study: StudyPlan) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """The headlines of the train part and their labels, as jobs take them."""
    from schemas.label import Label

    train = load_part(study, "train")
    return train.texts, tuple(Label(label) for label in train.labels)


@task(task_run_name="score {cell.title}", retry_condition_fn=_is_worth_a_retry)
def score_cell(study: StudyPlan, cell: CellPlan, position: str = "") -> State[None] | None:
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


def _run_scoring(study: StudyPlan, cell: CellPlan, position: str) -> list[Any] | State[None]:
    from learning.prompt.not_finite import NotFiniteError
    from learning.worker.jobs import ScoringJob
    from storage.home import Home
    from storage.studies import explain_diverged

    home = Home.from_environment()
    parts = load_parts(study)
    progress = Progress(f"{position}score {cell.title}", sum(len(part.texts) for part in parts), cell.title)
    adapter = (None, None) if cell.kind == "base" else _find_adapter(cell, position)
    with _running(cell, position) if cell.kind == "base" else nullcontext():
        job = ScoringJob(base_spec(study), adapter[0], parts, study.config.prompt, study.config.decoding, adapter[1])
        try:
            results: list[Any] = run_job(job, progress.update, progress.title)
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
    from storage.home import Home
    from storage.studies import fail_cell, load_cell, save_adapter_hash

    home = Home.from_environment()
    try:
        stored = load_cell(home.warehouse, cell.cell_id)
        folder, adapter_hash = find_adapter(home, stored)
    except AdapterError as error:
        fail_cell(home.warehouse, cell.cell_id, str(error), even_if_done=True)
        announce(f"{position}{cell.title} failed: {error}", cell=cell.title, state="failed", result="failed")
        raise
    if stored.outcome is None or stored.outcome.adapter_hash is None:
        save_adapter_hash(home.warehouse, cell.cell_id, adapter_hash)
    return folder, adapter_hash


def checkpoint_store(study: StudyPlan, cell: CellPlan) -> Any:
    """Where the checkpoints of the cell's training lie, and of all cells that differ from it in epochs alone."""
    from learning.study.identity import training_id
    from learning.training.checkpoints import CheckpointStore
    from storage.home import Home

    if cell.learning_rate is None or cell.seed is None:
        raise ValueError(f"cell {cell.cell_id} is {cell.kind}: only a fine-tuned cell is trained")
    training = training_id(study.config, study.split_id, study.base, cell.learning_rate, cell.seed)
    return CheckpointStore(Home.from_environment().checkpoints.absolute() / training, training)


def drop_checkpoints(study: StudyPlan) -> None:
    """Delete the checkpoints of a study's trainings, when its cells are done, but those that another study uses."""
    from storage.home import Home
    from storage.locks import holding_if_free

    warehouse, cells = Home.from_environment().warehouse, (*study.cells, *curve_cells(study))
    stores = [checkpoint_store(study, cell) for cell in cells]
    for store in {store.training_id: store for store in stores}.values():
        with holding_if_free(warehouse, "training", store.training_id) as is_free:
            if is_free:
                shutil.rmtree(store.root, ignore_errors=True)
    drop_shared({cell.cell_id for cell in cells}, {store.training_id for store in stores})


def _recipe(study: StudyPlan, cell: CellPlan, attempt: int) -> Any:
    from learning.training.recipe import Recipe, first_micro_batch_size, largest_part

    if cell.learning_rate is None or cell.epochs is None or cell.seed is None:
        raise ValueError(f"cell {cell.cell_id} is {cell.kind}: only a fine-tuned cell is trained")
    config = study.config
    size = first_micro_batch_size(config.training)
    for _ in range(attempt - ATTEMPTS_ALIKE):
        size = largest_part(config.training.batch_size, max(size // 2, 1))
    training = config.training.model_copy(update={"micro_batch_size": size})
    return Recipe(config.prompt, config.lora, training, cell.learning_rate, cell.epochs, cell.seed)


def _announce_result(cell: CellPlan, results: list[Any], position: str = "") -> None:
    """Tell the accuracy on test at the lowest temperature, if there are any, with its interval."""
    best = min((result for result in results if result.part.name == "test"), key=lambda result: result.temperature or 0)
    low, high = best.metrics.accuracy_low, best.metrics.accuracy_high
    at = "" if best.temperature is None else f" at temperature {best.temperature:g}"
    told = f"test accuracy {best.metrics.accuracy:.3f} [{low:.3f}, {high:.3f}]"
    announce(f"{position}{cell.title}: {told}{at}", cell=cell.title, state="done", result=told)


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
    from storage.home import Home
    from storage.studies import fail_cell, start_cell

    warehouse = Home.from_environment().warehouse
    start_cell(warehouse, cell.cell_id)
    note(f"{position}{cell.title} begins", cell=cell.title, state="running")
    try:
        yield
    except BaseException as error:
        told = str(error) if isinstance(error, InputError | FailureError) else f"{type(error).__name__}: {error}"
        status: Literal["failed", "interrupted"] = "failed" if isinstance(error, Exception) else "interrupted"
        fail_cell(warehouse, cell.cell_id, told.removesuffix(": "), status)
        if isinstance(error, Exception):
            announce(f"{position}{cell.title} died: {told}", cell=cell.title, state="failed", result="died")
        raise


def _skipped(cell: CellPlan, reason: str) -> State[None]:
    announce(f"{cell.title}: nothing to do, {reason}", cell=cell.title, state="done", result="there already")
    return Completed(name="Skipped", message=f"Nothing to do: {reason}.")


def _is_trained(cell: CellPlan) -> bool:
    from storage.home import Home
    from storage.studies import DONE, load_cell

    home = Home.from_environment()
    return load_cell(home.warehouse, cell.cell_id).status in DONE and home.adapter(cell.cell_id).is_dir()


def _is_evaluated(study: StudyPlan, cell: CellPlan) -> bool:
    from storage.evaluations import load_evaluated
    from storage.home import Home

    return set(evaluation_ids(study, cell).values()) <= load_evaluated(Home.from_environment().warehouse, cell.cell_id)

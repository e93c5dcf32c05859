"""Tasks of one cell: fit a baseline, train an adapter, score a model. What is finished already is not done again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from prefect import task
from prefect.client.schemas.objects import State
from prefect.states import Completed

from schemas.plan import CellPlan, StudyPlan
from tasks.draws import add_draws
from tasks.progress import Progress, announce
from tasks.records import cell_outcome, evaluation_ids, load_part, load_parts, save_log, save_results


@task(task_run_name="baseline {cell.title}")
def evaluate_baseline(study: StudyPlan, cell: CellPlan) -> State[None] | None:
    """Fit a baseline on train and evaluate it on validation and test."""
    from learning import evaluation
    from storage.home import Home
    from storage.studies import CellOutcome, finish_cell

    if _is_evaluated(study, cell):
        return _skipped(cell, "its evaluations are in the warehouse")
    with _running(cell):
        train, parts = load_part(study, "train"), load_parts(study)
        encoder = study.encoder.folder if study.encoder else None
        seed = study.config.split.seed
        save_results(study, cell, evaluation.evaluate_baseline(cell.model, train, parts, seed, encoder))
        finish_cell(Home.from_environment().warehouse, cell.cell_id, CellOutcome())
    return None


@task(task_run_name="train {cell.title}")
def train_cell(study: StudyPlan, cell: CellPlan, position: str = "") -> State[None] | None:
    """Train the cell's adapter and record its log; `position` stands before what is shown, as in `cell 2/6 `."""
    from learning.training import train_adapter
    from schemas.label import Label
    from storage.evaluations import forget_evaluations
    from storage.home import Home
    from storage.studies import finish_cell

    home, config = Home.from_environment(), study.config
    if _is_trained(cell):
        return _skipped(cell, "its adapter is trained")
    if cell.learning_rate is None or cell.epochs is None or cell.seed is None:
        raise ValueError(f"cell {cell.cell_id} is {cell.kind}: only a fine-tuned cell is trained")
    forget_evaluations(home.warehouse, cell.cell_id)
    with _running(cell):
        train = load_part(study, "train")
        outcome = train_adapter(
            train.texts,
            [Label(label) for label in train.labels],
            study.base.folder,
            home.adapter(cell.cell_id),
            quantization=study.base.quantization,
            prompt=config.prompt,
            lora=config.lora,
            training=config.training,
            learning_rate=cell.learning_rate,
            epochs=cell.epochs,
            seed=cell.seed,
            on_step=_show_steps(f"{position}train {cell.title}"),
        )
        save_log(cell, outcome)
        finish_cell(home.warehouse, cell.cell_id, cell_outcome(cell, outcome))
    if outcome.diverged:
        announce(f"{position}{cell.title}: the loss is no number after step {outcome.log[-1].step}; training stopped")
    return None


@task(task_run_name="score {cell.title}")
def score_cell(study: StudyPlan, cell: CellPlan, position: str = "") -> State[None] | None:
    """Evaluate the cell, or the untouched base model, on validation and test at every temperature."""
    from learning.evaluation import evaluate_model
    from storage.home import Home
    from storage.studies import CellOutcome, finish_cell

    home = Home.from_environment()
    add_draws(study, cell)
    if _is_evaluated(study, cell):
        return _skipped(cell, "its evaluations are in the warehouse")
    parts = load_parts(study)
    progress = Progress(f"{position}score {cell.title}", sum(len(part.texts) for part in parts))
    with _running(cell) if cell.kind == "base" else nullcontext():
        results: list[Any] = evaluate_model(
            parts,
            study.base.folder,
            None if cell.kind == "base" else home.adapter(cell.cell_id),
            quantization=study.base.quantization,
            prompt=study.config.prompt,
            decoding=study.config.decoding,
            on_headlines=progress.update,
        )
        save_results(study, cell, results)
        if cell.kind == "base":
            finish_cell(home.warehouse, cell.cell_id, CellOutcome())
    announce(f"{position}{cell.title}: {_tell_result(results)}")
    return None


def _tell_result(results: list[Any]) -> str:
    """Accuracy on test at the lowest temperature, with its interval."""
    best = min((result for result in results if result.part.name == "test"), key=lambda result: result.temperature)
    low, high = best.metrics.accuracy_low, best.metrics.accuracy_high
    return f"test accuracy {best.metrics.accuracy:.3f} [{low:.3f}, {high:.3f}] at temperature {best.temperature:g}"


@contextmanager
def _running(cell: CellPlan) -> Iterator[None]:
    """The cell is running in the block, which finishes it; failed with the reason if the block raises."""
    from storage.home import Home
    from storage.studies import fail_cell, start_cell

    warehouse = Home.from_environment().warehouse
    start_cell(warehouse, cell.cell_id)
    try:
        yield
    except BaseException as error:
        fail_cell(warehouse, cell.cell_id, f"{type(error).__name__}: {error}".removesuffix(": "))
        raise


def _show_steps(title: str) -> Callable[[Any], None]:
    """Shows training steps as the progress of `title`, which begins with the first of them."""
    begun: list[Progress] = []

    def show(step: Any) -> None:
        if not begun:
            begun.append(Progress(title, step.steps))
        begun[0].update(step.step, f"loss {step.loss:.3f}, {step.examples_per_second:.0f} headlines/s")

    return show


def _skipped(cell: CellPlan, reason: str) -> State[None]:
    announce(f"{cell.title}: nothing to do, {reason}")
    return Completed(name="Skipped", message=f"Nothing to do: {reason}.")


def _is_trained(cell: CellPlan) -> bool:
    from storage.home import Home
    from storage.studies import load_cell

    home = Home.from_environment()
    return load_cell(home.warehouse, cell.cell_id).status == "finished" and home.adapter(cell.cell_id).is_dir()


def _is_evaluated(study: StudyPlan, cell: CellPlan) -> bool:
    from storage.evaluations import load_evaluated
    from storage.home import Home

    return set(evaluation_ids(study, cell).values()) <= load_evaluated(Home.from_environment().warehouse, cell.cell_id)

"""Tasks that evaluate the cells of a study: baselines, untouched bases and fine-tunes; none is evaluated twice."""

from typing import TYPE_CHECKING

from prefect import task
from prefect.client.schemas.objects import State

from operations.draws import add_draws
from operations.records import evaluation_ids, load_part, load_parts, load_scored_parts, save_results
from operations.worker import base_spec, run_job
from schemas.plan import CellPlan, ModelCell, StudyPlan
from storage.home import Home
from tasks.cells import evaluating, is_worth_a_retry, locking, running, skipped
from tasks.progress import Progress, announce

if TYPE_CHECKING:
    from learning.models.fine_tune import FineTune
    from learning.study.evaluation import Evaluation


@task(task_run_name="{cell.name}")
def evaluate_baseline(study: StudyPlan, cell: CellPlan) -> State[None] | None:
    """Fit a baseline on train and evaluate it on validation and test."""
    with locking([cell]):
        if _is_evaluated(study, cell):
            return skipped(cell, "its evaluations are in the warehouse")
        results = _run_baseline(study, cell)
    _announce_result(cell, results)
    return None


def _run_baseline(study: StudyPlan, cell: CellPlan) -> "list[Evaluation]":
    from learning.baselines import evaluation
    from storage.cell_progress import save_cost

    with running(cell):
        encoder = study.encoder.folder if study.encoder else None
        seed = study.config.split.effective_seed
        fitted = evaluation.fit_baseline(cell.model, load_part(study, "train"), seed, encoder)
        save_cost(Home.from_environment().warehouse, cell.cell_id, fitted.train_seconds, fitted.size_bytes)
        results = evaluation.evaluate_baseline(fitted.answer, load_parts(study))
        save_results(study, cell, results)
    return results


@task(task_run_name="score {cell.name}", retry_condition_fn=is_worth_a_retry)
def score_cell(study: StudyPlan, cell: ModelCell, position: str = "") -> State[None] | None:
    """Evaluate the cell, or the untouched base model, on validation and test at every temperature."""
    from storage.cell_progress import explain_unevaluated

    with locking([cell]):
        add_draws(study, cell)
        if _is_evaluated(study, cell):
            explain_unevaluated(Home.from_environment().warehouse, cell.cell_id, None)
            return skipped(cell, "its evaluations are in the warehouse")
        results = _run_scoring(study, cell, position)
    if isinstance(results, State):
        return results
    _announce_result(cell, results, position)
    return None


def _run_scoring(study: StudyPlan, cell: ModelCell, position: str) -> "list[Evaluation] | State[None]":
    from learning.prompt.not_finite import NotFiniteError
    from learning.worker.jobs import ScoringJob
    from storage.cell_progress import explain_diverged

    home = Home.from_environment()
    parts = load_scored_parts(study, cell)
    progress = Progress(f"{position}score {cell.name}", sum(len(part.texts) for part in parts), cell.name)
    fine_tune = None if cell.kind == "base" else _find_adapter(cell, position)
    with running(cell, position) if cell.kind == "base" else evaluating(cell, position):
        job = ScoringJob(base_spec(cell), fine_tune, parts, cell.settings.prompt, study.config.decoding)
        try:
            results = run_job(job, progress.update, progress.title)
        except NotFiniteError as error:
            if not explain_diverged(home.warehouse, cell.cell_id, str(error)):
                raise
            return skipped(cell, f"its training diverged, {error}")
        save_results(study, cell, results)
    return results


def _find_adapter(cell: CellPlan, position: str) -> "FineTune":
    """The adapter of a trained cell.

    Raises:
        AdapterError: The files are not those that the cell trained. The cell is then recorded as failed, and its
            study's next run trains it again.
    """
    from learning.models.adapter_files import AdapterError
    from operations.models import find_adapter
    from storage.cell_progress import fail_cell, save_adapter_hash
    from storage.cells import load_cell

    home = Home.from_environment()
    try:
        stored = load_cell(home.warehouse, cell.cell_id)
        adapter = find_adapter(home, stored)
    except AdapterError as error:
        fail_cell(home.warehouse, cell.cell_id, str(error), even_if_done=True)
        announce(f"{position}{cell.name} failed: {error}", cell=cell.name, state="failed", result="failed")
        raise
    if stored.outcome is None or stored.outcome.adapter_hash is None:
        save_adapter_hash(home.warehouse, cell.cell_id, adapter.files_hash)
    return adapter


def _announce_result(cell: CellPlan, results: "list[Evaluation]", position: str = "") -> None:
    """Announce the test accuracy with its interval, at the lowest temperature if there are any."""
    best = min((result for result in results if result.part.name == "test"), key=lambda result: result.temperature or 0)
    low, high = best.metrics.accuracy_low, best.metrics.accuracy_high
    at = "" if best.temperature is None else f" at temperature {best.temperature:g}"
    accuracy = f"test accuracy {best.metrics.accuracy:.3f} [{low:.3f}, {high:.3f}]"
    announce(f"{position}{cell.name}: {accuracy}{at}", cell=cell.name, state="done", result=accuracy)


def _is_evaluated(study: StudyPlan, cell: CellPlan) -> bool:
    from storage.evaluations import load_evaluated

    return set(evaluation_ids(study, cell).values()) <= load_evaluated(Home.from_environment().warehouse, cell.cell_id)

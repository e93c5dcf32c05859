"""Pools the answers of a cell's folds into the evaluations of one cell. Runs without Prefect."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from operations.draws import add_draws
from operations.missing import describe_lack
from operations.records import evaluation_ids, save_results
from schemas.label import PROBABILITIES
from schemas.plan import CellPlan, StudyPlan
from storage.home import Home

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from learning.study.evaluation import Evaluation
    from learning.study.metrics import OutcomeFigures
    from storage.cells import StoredCell


def pool_folds(study: StudyPlan) -> list[str]:
    """Pool every cell of a study whose folds are all evaluated, unless no fold was evaluated since it was pooled.

    Other studies may have the same cell, at the same temperatures or others. Of its evaluations only those that a fold
    lacks or has answered again are deleted, with the comparisons of their studies. Draws are added, as `add_draws` does
    for other cells.

    Returns:
        The names of the cells that could not be pooled.
    """
    from learning.study.fold_plan import pooled_cells

    whole = [base.name for base in study.cells_without_folds if not _divide(study, base)]
    return whole + [cell.name for cell, own in pooled_cells(study) if not _pool(study, cell, own)]


def _divide(study: StudyPlan, base: CellPlan) -> bool:
    """Measure a base that answered all folds at once on the headlines of validation, too."""
    from storage.evaluations import load_evaluated

    warehouse, ids = Home.from_environment().warehouse, evaluation_ids(study, base)
    of_test = {temperature: identifier for (part, temperature), identifier in ids.items() if part == "test"}
    if not set(of_test.values()) <= load_evaluated(warehouse, base.cell_id):
        return False
    save_results(
        study, base, [_measure(study, "validation", temperature, [test]) for temperature, test in of_test.items()]
    )
    return True


def _pool(study: StudyPlan, cell: CellPlan, fold_cells: Sequence[CellPlan]) -> bool:
    from storage.cell_progress import fail_cell
    from storage.cells import load_cell
    from storage.evaluations import forget_outdated_pools, load_evaluated

    warehouse = Home.from_environment().warehouse
    ids_by_fold = [evaluation_ids(fold, each) for fold, each in zip(study.folds, fold_cells, strict=True)]
    stored = [load_cell(warehouse, each.cell_id) for each in fold_cells]
    forget_outdated_pools(warehouse, cell.cell_id, [each.cell_id for each in fold_cells])
    pooled = load_evaluated(warehouse, cell.cell_id)
    for number, (ids, each) in enumerate(zip(ids_by_fold, stored, strict=True), start=1):
        if not set(ids.values()) <= load_evaluated(warehouse, each.record.cell_id):
            why = f"fold {number} of {len(fold_cells)} is not evaluated: {describe_lack(each)}"
            fail_cell(warehouse, cell.cell_id, why, even_if_done=not pooled)
            return False
    lacking = [key for key, identifier in evaluation_ids(study, cell).items() if identifier not in pooled]
    if lacking:
        save_results(study, cell, [_measure(study, *key, [ids[key] for ids in ids_by_fold]) for key in lacking])
    add_draws(study, cell)
    _save_costs(study, cell, stored)
    return True


def _measure(study: StudyPlan, part: str, temperature: float | None, evaluations: Sequence[str]) -> "Evaluation":
    """Measure evaluations on a part of all folds; with intervals by fold where each fold has its own evaluation."""
    from learning.study.evaluation import CurvePoint, Evaluation, LabelledPart, measure_draws
    from learning.study.fold_intervals import widen
    from learning.study.metrics import measure
    from storage.folds import load_fold_answers, load_fold_curves, load_seconds

    warehouse, decoding = Home.from_environment().warehouse, study.config.decoding
    rows = load_fold_answers(warehouse, study.split_id, part, evaluations)
    labelled = LabelledPart(part, tuple(rows["headline_id"]), (), tuple(rows["label"]))
    outcomes, argmax = _number(rows, "predicted", "parsed"), _number(rows, "argmax", "argmax_parsed")
    known = rows[PROBABILITIES[0]].notna().all()
    probabilities = rows[list(PROBABILITIES)].to_numpy(dtype=float) if known else None
    draws: tuple[OutcomeFigures, ...] = ()
    if temperature is not None and probabilities is not None:
        draws = measure_draws(labelled, probabilities, temperature, decoding.seed, range(decoding.draws))
    metrics = measure(labelled.label_numbers, outcomes, probabilities, argmax)
    if len(evaluations) > 1:
        metrics = widen(metrics, labelled.label_numbers, outcomes, probabilities, rows["fold"].to_numpy())
    return Evaluation(
        part=labelled,
        temperature=temperature,
        metrics=metrics,
        outcomes=outcomes,
        probabilities=probabilities,
        seconds=load_seconds(warehouse, evaluations),
        argmax=argmax,
        draws=draws,
        curve=tuple(CurvePoint(*point) for point in load_fold_curves(warehouse, part, evaluations)),
    )


def _number(rows: "pd.DataFrame", words: str, parsed: str) -> "NDArray[np.int64]":
    """[N] outcomes from the words of the ledger, and whether each was parsed."""
    import numpy as np

    from learning.study.unparsed import UNPARSED
    from schemas.label import LABELS

    numbers = rows[words].map({label.value: number for number, label in enumerate(LABELS)}).to_numpy()
    return np.where(rows[parsed].to_numpy(dtype=bool), numbers, UNPARSED)


def _save_costs(study: StudyPlan, cell: CellPlan, stored: "Sequence[StoredCell]") -> None:
    """Record the average cost of a cell over its folds; the cell has diverged if any of them has."""
    from storage.cell_progress import finish_cell, save_cost
    from storage.cells import CellOutcome
    from storage.folds import load_costs

    warehouse = Home.from_environment().warehouse
    seconds, size = load_costs(warehouse, study.study_id, [each.record.cell_id for each in stored])
    if cell.kind == "baseline" and seconds is not None and size is not None:
        save_cost(warehouse, cell.cell_id, seconds, size)
    if cell.kind == "fine-tuned":
        has_diverged = any(each.status == "diverged" for each in stored)
        status: Literal["finished", "diverged"] = "diverged" if has_diverged else "finished"
        machine = next((each.outcome.environment for each in stored if each.outcome), {})
        outcome = CellOutcome(train_seconds=seconds, size_bytes=size, status=status, environment=machine)
        finish_cell(warehouse, cell.cell_id, outcome)

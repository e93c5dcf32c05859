"""The plan of a study on each fold of its split: the same cells, trained and evaluated on that fold."""

from collections.abc import Sequence
from typing import TypeVar

from learning.study.identity import base_cell_id, baseline_cell_id, fine_tuned_cell_id, training_id
from schemas.plan import BaselinePlan, CellPlan, ModelCell, StudyPlan

Cell = TypeVar("Cell", bound=CellPlan)


def add_folds(study: StudyPlan, split_ids: Sequence[str], baselines: Sequence[BaselinePlan]) -> StudyPlan:
    """The study with its plan on each fold.

    Args:
        study: The plan for all folds together.
        split_ids: The splits of the folds, in order.
        baselines: The study's baselines.
    """
    kinds = {baseline.name: baseline for baseline in baselines}
    named = zip(study.config.split.fold_names, split_ids, strict=True)
    folds = (_plan_fold(study, name, split, kinds) for name, split in named)
    return study.model_copy(update={"folds": tuple(folds)})


def _plan_fold(study: StudyPlan, name: str, split: str, kinds: dict[str, BaselinePlan]) -> StudyPlan:
    with_examples = [base for base in study.base_cells if base.settings.prompt.examples]
    return study.model_copy(
        update={
            "split_id": split,
            "base_cells": tuple(
                _move(base, name, base_cell_id(base.settings, split, base.base)) for base in with_examples
            ),
            "baselines": tuple(
                _move(cell, name, baseline_cell_id(kinds[cell.model], split)) for cell in study.baselines
            ),
            "cells": tuple(move_fine_tune(cell, name, split) for cell in study.cells),
        }
    )


def take_cells(study: StudyPlan, cells: tuple[ModelCell, ...]) -> StudyPlan:
    """The study with only these fine-tunes, on each of its folds as well."""
    emptied = {"base_cells": (), "baselines": ()}
    folds = []
    for name, fold in zip(study.config.split.fold_names, study.folds, strict=True):
        moved = tuple(move_fine_tune(cell, name, fold.split_id) for cell in cells)
        folds.append(fold.model_copy(update={**emptied, "cells": moved}))
    return study.model_copy(update={**emptied, "cells": cells, "folds": tuple(folds)})


def move_fine_tune(cell: ModelCell, fold: str, split: str) -> ModelCell:
    """A fine-tune on the split of a fold; its name ends in the fold's, such as `fold=1`."""
    moved = _move(cell, fold, fine_tuned_cell_id(cell.settings, split, cell.base))
    return moved.model_copy(update={"training_id": training_id(cell.settings, split, cell.base)})


def _move(cell: Cell, fold: str, cell_id: str) -> Cell:
    return cell.model_copy(update={"cell_id": cell_id, "name": f"{cell.name} {fold}"})


def pooled_cells(study: StudyPlan) -> list[tuple[CellPlan, list[CellPlan]]]:
    """Each cell that pools the folds, and the cells that it pools in the order of the folds."""
    whole = [
        cell for cell in (*study.base_cells, *study.baselines, *study.cells) if cell not in study.cells_without_folds
    ]
    of_folds = [(*fold.base_cells, *fold.baselines, *fold.cells) for fold in study.folds]
    return [(cell, list(pooled)) for cell, pooled in zip(whole, zip(*of_folds, strict=True), strict=True)]

"""The plan of a study: which cells there are, and in which order. Loads no heavy library; trains nothing."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from learning.study.identity import base_cell_id, baseline_cell_id, fine_tuned_cell_id, study_id
from schemas.config import StudyConfig
from schemas.plan import BaselinePlan, BaseModelPlan, CellPlan, EncoderPlan, StudyPlan


def plan_study(
    config: StudyConfig,
    snapshot_id: str,
    split_id: str,
    base: BaseModelPlan,
    baselines: Sequence[BaselinePlan],
    encoder: EncoderPlan | None = None,
) -> StudyPlan:
    """Lay out the base model, the baselines and every cell of the grid."""
    return StudyPlan(
        study_id=study_id(config, snapshot_id, base, baselines),
        config=config,
        snapshot_id=snapshot_id,
        split_id=split_id,
        base=base,
        base_cell=CellPlan(cell_id=base_cell_id(config, split_id, base), kind="base", model=base.name),
        baselines=tuple(
            CellPlan(cell_id=baseline_cell_id(baseline, split_id), kind="baseline", model=baseline.name)
            for baseline in baselines
        ),
        cells=plan_cells(config, split_id, base, config.grid.learning_rates, config.grid.epochs),
        encoder=encoder,
    )


def plan_cells(
    config: StudyConfig, split_id: str, base: BaseModelPlan, learning_rates: Iterable[float], epochs: Iterable[int]
) -> tuple[CellPlan, ...]:
    """One cell for each learning rate, number of epochs and seed of the grid."""
    return tuple(
        CellPlan(
            cell_id=fine_tuned_cell_id(config, split_id, base, rate, count, seed),
            kind="fine-tuned",
            model=base.name,
            learning_rate=rate,
            epochs=count,
            seed=seed,
        )
        for rate, count, seed in product(learning_rates, epochs, config.grid.seeds)
    )


def plan_curve(study: StudyPlan, learning_rate: float) -> tuple[CellPlan, ...]:
    """The cells of the epoch curve at the best learning rate that the grid does not have yet."""
    known = {cell.cell_id for cell in study.cells}
    cells = plan_cells(study.config, study.split_id, study.base, [learning_rate], study.config.grid.curve_epochs)
    return tuple(cell for cell in cells if cell.cell_id not in known)


def running_order(cells: Iterable[CellPlan]) -> list[CellPlan]:
    """The cells as they are trained: those that share a training together, the shorter first."""
    return [cell for trajectory in _trajectories(cells) for cell in trajectory]


def split_apart(cells: Iterable[CellPlan], schedule: str) -> list[list[CellPlan]]:
    """The cells in lists of which none shares a training with another; each in its running order."""
    trajectories = _trajectories(cells)
    return [[cell] for own in trajectories for cell in own] if schedule == "cosine" else trajectories


def group_cells(cells: Iterable[CellPlan], schedule: str, most: int) -> list[list[CellPlan]]:
    """The cells in groups that are trained side by side, in the order in which the groups are trained.

    Cells that share a training are in different groups, the shorter in an earlier one. A group is filled up with cells
    of one length, and with the next longer ones where those do not suffice.

    Args:
        cells: Of one study.
        schedule: `training.schedule`; under a cosine no two cells share a training.
        most: Cells of a group; with 1 the groups are in the running order.
    """
    order = running_order(cells)
    if most == 1:
        return [[cell] for cell in order]
    groups: list[list[CellPlan]] = [[]]
    for cell in sorted(order, key=lambda cell: cell.epochs or 0):
        shares = schedule != "cosine" and _training_of(cell) in map(_training_of, groups[-1])
        if shares or len(groups[-1]) == most:
            groups.append([])
        groups[-1].append(cell)
    return [group for group in groups if group]


def _trajectories(cells: Iterable[CellPlan]) -> list[list[CellPlan]]:
    """The cells by learning rate and seed, the shorter first."""
    grouped: dict[tuple[float | None, int | None], list[CellPlan]] = {}
    for cell in cells:
        grouped.setdefault(_training_of(cell), []).append(cell)
    return [sorted(own, key=lambda cell: cell.epochs or 0) for own in grouped.values()]


def _training_of(cell: CellPlan) -> tuple[float | None, int | None]:
    """What cells have in common that differ in epochs alone."""
    return cell.learning_rate, cell.seed


def best_row(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The row of highest balanced accuracy at the lowest temperature; of equals the cheapest.

    Args:
        rows: What `storage.evaluations.load_selection` gives of the validation part, at least one.
    """
    lowest = min(row["temperature"] for row in rows)
    coldest = [row for row in rows if row["temperature"] == lowest]
    return max(coldest, key=lambda row: (row["balanced_accuracy"], -row["epochs"], -row["learning_rate"], -row["seed"]))

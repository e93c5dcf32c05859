"""The plan of a study: its cells, and their order. Loads no heavy library; trains nothing."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import product

from learning.study.identity import base_cell_id, baseline_cell_id, fine_tuned_cell_id, study_id, training_id
from learning.study.naming import CellNames, name_baseline
from schemas.cell import CellSettings
from schemas.config import StudyConfig
from schemas.grid import SEED
from schemas.plan import BaselinePlan, CellPlan, EncoderPlan, FoundModel, ModelCell, StudyPlan


def plan_study(
    config: StudyConfig,
    snapshot_id: str,
    split_id: str,
    find_model: Callable[[CellSettings], FoundModel],
    baselines: Sequence[BaselinePlan],
    encoder: EncoderPlan | None = None,
) -> StudyPlan:
    """Plan the base models, the baselines and every cell of the grid.

    Args:
        config: The study.
        snapshot_id: The snapshot of its headlines.
        split_id: The split of the snapshot.
        find_model: Finds and checks a cell's base model, and settles the settings as its kind does.
        baselines: The study's baselines.
        encoder: The encoder of the embeddings baseline.
    """
    names = CellNames(config)
    cells = [_plan_fine_tune(find_model(settings), split_id, names) for settings in config.resolve_all()]
    untouched = [_plan_base(cell, split_id, names) for cell in cells if cell.base.answers_untouched]
    bases = {cell.cell_id: cell for cell in untouched}
    others = [
        CellPlan(
            cell_id=baseline_cell_id(baseline, split_id),
            kind="baseline",
            model=baseline.name,
            name=name_baseline(baseline.name),
        )
        for baseline in baselines
    ]
    every = [cell.cell_id for cell in (*bases.values(), *others, *cells)]
    return StudyPlan(
        study_id=study_id(every, config.curve_epochs, config.decoding, config.race if config.races else None),
        config=config,
        snapshot_id=snapshot_id,
        split_id=split_id,
        base_cells=tuple(bases.values()),
        baselines=tuple(others),
        cells=tuple({cell.cell_id: cell for cell in cells}.values()),
        encoder=encoder,
    )


def _plan_fine_tune(found: FoundModel, split_id: str, names: CellNames) -> ModelCell:
    base, settings, ignored = found
    return ModelCell(
        cell_id=fine_tuned_cell_id(settings, split_id, base),
        kind="fine-tuned",
        model=base.name,
        name=names.name_fine_tune(settings, ignored),
        base=base,
        settings=settings,
        ignored=ignored,
        training_id=training_id(settings, split_id, base),
    )


def _plan_base(cell: ModelCell, split_id: str, names: CellNames) -> ModelCell:
    """The untouched base of a fine-tune."""
    return ModelCell(
        cell_id=base_cell_id(cell.settings, split_id, cell.base),
        kind="base",
        model=cell.model,
        name=names.name_base(cell.model, cell.settings, cell.ignored),
        base=cell.base,
        settings=cell.settings,
        ignored=cell.ignored,
    )


def plan_curves(study: StudyPlan, through: Iterable[ModelCell]) -> tuple[ModelCell, ...]:
    """The cells of the epoch curves through these cells, with every seed of the grid, each once; none of the grid's.

    Args:
        study: The study.
        through: The best cell; or all that may be.
    """
    epochs = study.config.curve_epochs
    if not epochs:
        return ()
    names, varied = CellNames(study.config), study.config.varied
    curves: dict[str, ModelCell] = {}
    for cell in through:
        for length, seed in product(epochs, varied.get(SEED, (cell.settings.training.seed,))):
            training = cell.settings.training.model_copy(update={"epochs": length, "seed": seed})
            settings = cell.settings.model_copy(update={"training": training})
            point = _plan_fine_tune(FoundModel(cell.base, settings, cell.ignored), study.split_id, names)
            curves.setdefault(point.cell_id, point)
    known = {cell.cell_id for cell in study.cells}
    return tuple(cell for cell_id, cell in curves.items() if cell_id not in known)


def running_order(cells: Iterable[ModelCell]) -> list[ModelCell]:
    """The cells in the order of training: grouped by base, then by family, then by training, shorter ones first."""
    return [cell for trajectory in _trajectories(cells) for cell in trajectory]


def split_apart(cells: Iterable[ModelCell]) -> list[list[ModelCell]]:
    """The cells in lists that share no training with each other, each in its running order."""
    return [
        part
        for trajectory in _trajectories(cells)
        for part in ([[cell] for cell in trajectory] if _is_alone(trajectory[0]) else [trajectory])
    ]


def group_cells(cells: Iterable[ModelCell], most: Callable[[ModelCell], int]) -> list[list[ModelCell]]:
    """The cells in groups that are trained side by side, in the order in which the groups are trained.

    Cells of a group differ only in learning rate, epochs and seed. Cells that share a training are in different groups,
    the shorter in an earlier one. A group is filled with cells of one length, and with the next longer ones if those do
    not suffice.

    Args:
        cells: The cells of one study.
        most: How many cells like this one a group may have; with 1, the groups are in the running order.
    """
    families: dict[str, list[ModelCell]] = {}
    for cell in running_order(cells):
        families.setdefault(family_of(cell), []).append(cell)
    return [group for family in families.values() for group in _fill_groups(family, most(family[0]))]


def _fill_groups(order: Sequence[ModelCell], most: int) -> list[list[ModelCell]]:
    """Divide cells that may be trained side by side into groups."""
    if most == 1:
        return [[cell] for cell in order]
    groups: list[list[ModelCell]] = [[]]
    for cell in sorted(order, key=_epochs):
        shares = not _is_alone(cell) and cell.training_id in {other.training_id for other in groups[-1]}
        if shares or len(groups[-1]) == most:
            groups.append([])
        groups[-1].append(cell)
    return groups


def family_of(cell: ModelCell) -> str:
    """A key that is equal for cells that differ only in learning rate, epochs and seed: they may train side by side."""
    apart = {"training": {"learning_rate", "epochs", "seed"}}
    return cell.settings.model_dump_json(exclude=apart)


def _loaded_base(cell: ModelCell) -> Hashable:
    """A key that is equal for cells whose base model is loaded in the same way."""
    training = cell.settings.training
    return cell.base, training.precision, training.attention, training.optimizer


def _trajectories(cells: Iterable[ModelCell]) -> list[list[ModelCell]]:
    """The cells of each training, shorter ones first; trainings are grouped by base, and by family."""
    by_base: dict[Hashable, dict[str, dict[str | None, list[ModelCell]]]] = {}
    for cell in cells:
        family = by_base.setdefault(_loaded_base(cell), {}).setdefault(family_of(cell), {})
        family.setdefault(cell.training_id, []).append(cell)
    return [
        sorted(trajectory, key=_epochs)
        for families in by_base.values()
        for trainings in families.values()
        for trajectory in trainings.values()
    ]


def _is_alone(cell: ModelCell) -> bool:
    """Whether the cell shares no step with cells that differ in epochs."""
    return cell.settings.training.schedule == "cosine"


def _epochs(cell: ModelCell) -> int:
    return cell.settings.training.epochs

"""The cells that a study would run, before it does anything: how they differ, how they are trained, what they share."""

from collections.abc import Sequence
from typing import NamedTuple

from learning.kinds.resolution import find_known_kind
from learning.study.naming import spell_values
from schemas.cell import CellSettings
from schemas.config import StudyConfig
from storage.home import Home


class SettledCell(NamedTuple):
    """A cell's settings as its kind of model follows them, and those that it ignores."""

    settings: CellSettings
    ignored: tuple[str, ...]


def settle_all(config: StudyConfig) -> list[SettledCell]:
    """The cells of a study, each once; as they were asked for where a model's kind is not known here.

    Raises:
        InputError: A setting is one that a cell's model cannot follow.
    """
    models, settled = Home.from_environment().models, []
    for asked in config.resolve_all():
        kind = find_known_kind(asked.base_model.name, asked.base_model.revision, models)
        settled.append(SettledCell(kind.settle(asked), kind.ignored(asked)) if kind else SettledCell(asked, ()))
    return list({each.settings.model_dump_json(): each for each in settled}.values())


def list_curve(cells: Sequence[CellSettings], config: StudyConfig) -> list[CellSettings]:
    """The first cell and those of a curve through it: at each epoch of the curve one for each seed."""
    first, seeds = cells[0], sorted({cell.training.seed for cell in cells})
    points = [{"epochs": length, "seed": seed} for length in sorted(config.curve_epochs) for seed in seeds]
    trainings = [first.training.model_copy(update=point) for point in points]
    curve = [first.model_copy(update={"training": training}) for training in trainings]
    alike = [cell for cell in cells if any(_differ_in_epochs(cell, point) for point in curve)]
    return list({cell.model_dump_json(): cell for cell in (*alike, *curve)}.values())


def _differ_in_epochs(cell: CellSettings, other: CellSettings) -> bool:
    """Whether nothing else differs, so that they may share steps."""
    training = cell.training.model_copy(update={"epochs": other.training.epochs})
    return cell.model_copy(update={"training": training}) == other


def describe_grid(config: StudyConfig) -> str:
    """Each setting that varies, with its values."""
    grids = config.grid if isinstance(config.grid, tuple) else (config.grid,)
    told = [" x ".join(f"{path} {', '.join(spell_values(path, own))}" for path, own in grid.items()) for grid in grids]
    return "; and ".join(each or "no setting varies" for each in told)


def describe_trainings(config: StudyConfig, cells: Sequence[SettledCell], steps: int) -> list[tuple[str, str]]:
    """How the cells of each kind of model are trained, and how many steps all take."""
    *told, last = dict.fromkeys(_describe_training(config, cell) for cell in cells)
    return [("training", each) for each in (*told, f"{last}; {steps:,} steps in all")]


def _describe_training(config: StudyConfig, cell: SettledCell) -> str:
    """What a cell has in common with the others of its model; what varies is told with the grid."""
    told = {
        "training.loss": "{} loss",
        "training.schedule": "{} schedule",
        "training.batch_size": "batches of {}",
        "lora.r": "LoRA r={}",
        "lora.alpha": "alpha={:g}",
        "lora.dropout": "dropout={:g}",
    }
    groups = {"training": cell.settings.training, "lora": cell.settings.lora}
    what = ["all weights"] if "lora" in cell.ignored else []
    fixed = [
        form.format(getattr(groups[group], name))
        for path, form in told.items()
        for group, _, name in [path.partition(".")]
        if path not in config.varied and group not in cell.ignored and path not in cell.ignored
    ]
    return ", ".join([*what, *fixed, "AdamW"])


def describe_sharing(cells: Sequence[CellSettings], trained: int, alone: int) -> str:
    """How many steps the cells would take alone, and why they take fewer."""
    saved = f"{trained:,} steps are trained instead of {alone:,}"
    schedules = {cell.training.schedule for cell in cells}
    if schedules == {"cosine"}:
        return "nothing: a cosine depends on the number of epochs, so that each cell is trained by itself"
    if trained == alone:
        return "nothing: no two cells differ in their epochs alone"
    until = "up to its decay " if "warmup-stable-decay" in schedules else ""
    return f"{until}a cell is a checkpoint of the longer ones that differ from it in epochs alone: {saved}"

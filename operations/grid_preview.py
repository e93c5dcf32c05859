"""The cells that a study would run, before it does anything: how they differ, are trained and race, what they share."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from learning.kinds.resolution import find_known_kind
from learning.study.naming import spell_values
from learning.study.race import least_p_value
from learning.training.racers import count_most_saved
from operations.model_preview import find_twins, list_bases
from schemas.cell import CellSettings
from schemas.config import StudyConfig
from storage.home import Home


class SettledCell(NamedTuple):
    """A cell's settings as its kind of model follows them, and those that it ignores."""

    settings: CellSettings
    ignored: tuple[str, ...]


def settle_all(config: StudyConfig) -> list[SettledCell]:
    """The cells of a study, each once; with the settings as requested where a model's kind is not known here.

    Cells of a base model that is named twice are those of its first name.

    Raises:
        InputError: A setting is one that a cell's model cannot follow.
    """
    models, settled = Home.from_environment().models, []
    bases = list_bases(config)
    twins = find_twins(bases) if len(bases) > 1 else {}
    for each in config.resolve_all():
        base = each.base_model.model_copy(update={"name": twins.get(each.base_model.name, each.base_model.name)})
        requested = each.model_copy(update={"base_model": base})
        kind = find_known_kind(base.name, base.revision, models)
        settled.append(
            SettledCell(kind.settle(requested), kind.ignored(requested)) if kind else SettledCell(requested, ())
        )
    return list({each.settings.model_dump_json(): each for each in settled}.values())


def list_curve(cells: Sequence[CellSettings], config: StudyConfig) -> list[CellSettings]:
    """The cells of the epoch curve through the first cell, with grid cells that differ from them in epochs only."""
    first, seeds = cells[0], sorted({cell.training.seed for cell in cells})
    points = [{"epochs": length, "seed": seed} for length in sorted(config.curve_epochs) for seed in seeds]
    trainings = [first.training.model_copy(update=point) for point in points]
    curve = [first.model_copy(update={"training": training}) for training in trainings]
    alike = [cell for cell in cells if any(_differ_in_epochs(cell, point) for point in curve)]
    return list({cell.model_dump_json(): cell for cell in (*alike, *curve)}.values())


def _differ_in_epochs(cell: CellSettings, other: CellSettings) -> bool:
    """Whether two cells differ in their epochs only, so that they may share steps."""
    training = cell.training.model_copy(update={"epochs": other.training.epochs})
    return cell.model_copy(update={"training": training}) == other


def describe_grid(config: StudyConfig) -> str:
    """Each setting that varies, with its values."""
    grids = config.grid if isinstance(config.grid, tuple) else (config.grid,)
    texts = [
        " x ".join(f"{path} {', '.join(spell_values(path, values))}" for path, values in grid.items()) for grid in grids
    ]
    return "; and ".join(text or "no setting varies" for text in texts)


def describe_trainings(config: StudyConfig, cells: Sequence[SettledCell], steps: int) -> list[tuple[str, str]]:
    """How the cells of each kind of model are trained, and how many steps all take."""
    varied = frozenset(config.varied)
    *others, last = dict.fromkeys(_describe_training(varied, cell) for cell in cells)
    return [("training", text) for text in (*others, f"{last}; {steps:,} steps in all")]


def _describe_training(varied: Collection[str], cell: SettledCell) -> str:
    """The settings that a cell shares with others of its model; those that vary are listed with the grid."""
    forms = {
        "training.loss": "{} loss",
        "training.schedule": "{} schedule",
        "training.batch_size": "batches of {}",
        "lora.r": "LoRA r={}",
        "lora.alpha": "alpha={:g}",
        "lora.dropout": "dropout={:g}",
    }
    groups = {"training": cell.settings.training, "lora": cell.settings.lora}
    weights = ["all weights"] if "lora" in cell.ignored else []
    fixed = [
        form.format(getattr(groups[group], name))
        for path, form in forms.items()
        for group, _, name in [path.partition(".")]
        if path not in varied and group not in cell.ignored and path not in cell.ignored
    ]
    return ", ".join([*weights, *fixed, "AdamW"])


def describe_sharing(cells: Sequence[CellSettings], trained: int, alone: int) -> str:
    """How many steps the cells would take alone, and why they take fewer."""
    saved = f"{trained:,} steps are trained instead of {alone:,}"
    schedules = {cell.training.schedule for cell in cells}
    if schedules == {"cosine"}:
        return "nothing: a cosine depends on the number of epochs, so each cell is trained separately"
    if trained == alone:
        return "nothing: no two cells differ in their epochs only"
    until = "up to its decay " if "warmup-stable-decay" in schedules else ""
    return f"{until}a cell is a checkpoint of the longer ones that differ from it in epochs only: {saved}"


def describe_race(
    config: StudyConfig, cells: Sequence[CellSettings], train: int, validation: int | None
) -> list[tuple[str, str]]:
    """Describe how many steps a race saves at most, and whether it can save any, as (subject, description) lines.

    Args:
        config: The study.
        cells: Its grid.
        train: Headlines of train.
        validation: Headlines of validation; None where they are not known yet.
    """
    if not config.races:
        return []
    saved = count_most_saved(cells, train)
    if not saved:
        return [("race", "saves nothing: no two trainings of one schedule go on after their first epoch")]
    text = f"cells that validation finds worse than the best after an epoch are dropped: {saved:,} steps saved at most"
    if validation is not None and least_p_value(validation) > config.race.level:
        text += f"; with {validation} validation headlines no difference is significant, and none is dropped"
    return [("race", text)]

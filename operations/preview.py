"""What a study would do, before it does anything: counts, cells, steps and needs. Trains nothing, loads no torch.

Reading the source and checking the model here also means that bad input is reported at once.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from embedded.paths import MODEL_FOLDER
from ingestion.sources import EMBEDDED
from learning.baselines.embeddings import check_encoder, is_local, resolve_encoder
from learning.baselines.registry import choose_kinds, plan_baselines
from learning.kinds.resolution import check_hub_base, check_weights, find_known_kind, plan_base, resolve_base_model
from learning.models.base_model import HUB_NAME
from learning.models.hub import check_hub_model
from learning.study.naming import spell_values
from learning.study.split import count_leaks
from learning.training.schedule import count_steps_alone, count_trained_steps
from operations.examples import check_examples
from operations.intake import find_headlines, take_in
from operations.lengths import tell_long
from operations.race_preview import describe_race
from operations.reruns import preview_reruns
from operations.splitting import Division, count_moved_of, draw_parts, draw_parts_of_folds, prepare_division
from operations.steps import warn_of_few_steps
from reporting.verdict import tell_leaks, tell_moved
from schemas.cell import BaseModelSettings, CellSettings
from schemas.columns import ReadColumns
from schemas.config import RunnerSettings, StudyConfig
from schemas.footprint import count_weight_bytes, estimate_footprint
from schemas.label import LABELS
from schemas.listing import count
from schemas.profiles import PROFILES, load_profile
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

LARGE_GIGABYTES = 1.0
"""Weights from here on take days to train without a GPU."""
LONGEST_LOOK = 10.0
"""Seconds for which weights are looked through beforehand; the study itself looks through all of them."""


def check_inputs(config: StudyConfig, tell: Callable[[str], None]) -> None:
    """Read the source, try the split and check the base model; when all are fit, the warehouse keeps the ingestion.

    Args:
        config: The study.
        tell: Is given what came of the source, in a line.

    Raises:
        InputError: One of them is not fit.
    """
    take_in(config.data, tell, lambda headlines: _check_rest(config, headlines))


def _check_rest(config: StudyConfig, headlines: "pd.DataFrame") -> None:
    """Try the split of a source's headlines, and check the base models and the encoder."""
    models = Home.from_environment().models
    for base in _list_bases(config):
        if _is_on_hub(base):
            check_hub_model(base.name, base.revision, models)
            check_hub_base(base.name, base.revision, models, fetch=True)
        else:
            check_weights(resolve_base_model(base.name, None, models), models, LONGEST_LOOK)
    _settle_all(config)
    _divide(config, headlines)
    plan_baselines(config.baselines)
    if config.baselines.embedding_model:
        check_encoder(config.baselines.embedding_model, models)


def describe_study(config: StudyConfig) -> list[tuple[str, str]]:
    """Say what a study would run, as (subject, description) lines.

    Raises:
        InputError: The source or a local base model is not fit. A source may be missing if the profile names it.
    """
    found = _settle_all(config)
    cells = [each.settings for each in found]
    read: list[ReadColumns] = []
    headlines = None if _awaits_data(config) else find_headlines(config.data, read.append)
    bases = [("base model", _describe_model(base)) for base in _list_bases(config)]
    divided = None if headlines is None else _divide(config, headlines)
    train = config.split.train_per_class * len(LABELS) if divided is None else divided.counts["train"].total()
    trained, alone = (
        (config.split.folds or 1) * steps(cells, train) for steps in (count_trained_steps, count_steps_alone)
    )
    lines = [
        ("study", _describe_name(config)),
        *_describe_data(config, divided),
        *_describe_folds(config),
        *_describe_columns(config, read),
        *bases,
        *_describe_examples(config),
        ("baselines", _describe_baselines(config)),
        ("grid", f"{count(len(cells), 'cell')}: {_describe_grid(config)}"),
        *_describe_trainings(config, found, trained),
        ("shared", _describe_sharing(cells, trained, alone)),
        *describe_race(config, cells, train, None if divided is None else divided.counts["validation"].total()),
    ]
    few = warn_of_few_steps(cells, train)
    lines += [("few steps", few)] if few else []
    curve = _list_curve(cells, config)
    more = [cell for cell in curve if cell not in cells]
    if more:
        own = [cell for cell in curve if cell in cells]
        added = (config.split.folds or 1) * (count_trained_steps(curve, train) - count_trained_steps(own, train))
        then = f"then epochs {_join(config.curve_epochs)} of the cell best on validation"
        lines.append(("epoch curve", f"{then}: {count(len(more), 'more cell')}, {added:,} more steps"))
    lines += [("note", note) for note in _note_twins(_list_bases(config))]
    if headlines is not None and divided is not None and not any(map(_is_on_hub, _list_bases(config))):
        lines += [("again", line) for line in preview_reruns(config, headlines, divided.division)]
    lines.append(("scoring", _describe_scoring(config, len(cells) + len(more))))
    if config.runner.kind == "ray":
        lines.append(("runner", _describe_cluster(config.runner)))
    return [*lines, *(("needs", needs) for needs in dict.fromkeys(map(_describe_needs, _list_bases(config))))]


def _describe_name(config: StudyConfig) -> str:
    named = f", named {config.study_name}" if config.study_name else ""
    tagged = "".join(f", {key}={value}" for key, value in config.tags.items())
    return f"profile {config.name}{named}{tagged}"


def _note_twins(bases: Sequence[BaseModelSettings]) -> list[str]:
    """Local base models that are the same files under two names: their cells are the same, and run once."""
    models, first, notes = Home.from_environment().models, dict[str, str](), []
    for name in dict.fromkeys(base.name for base in bases if not _is_on_hub(base)):
        other = first.setdefault(resolve_base_model(name, None, models).revision, name)
        if other != name:
            notes.append(f"{name} is the same model as {other}: their cells are the same, and run once")
    return notes


def _list_bases(config: StudyConfig) -> list[BaseModelSettings]:
    """The base models of a study, each once."""
    return list(dict.fromkeys(cell.base_model for cell in config.resolve_all()))


class _Settled(NamedTuple):
    """A cell's settings as its kind of model follows them, and those that it ignores."""

    settings: CellSettings
    ignored: tuple[str, ...]


def _settle_all(config: StudyConfig) -> list[_Settled]:
    """The cells of a study, each once; as they were asked for where a model's kind is not known here.

    Raises:
        InputError: A setting is one that a cell's model cannot follow.
    """
    models, settled = Home.from_environment().models, []
    for asked in config.resolve_all():
        kind = find_known_kind(asked.base_model.name, asked.base_model.revision, models)
        settled.append(_Settled(kind.settle(asked), kind.ignored(asked)) if kind else _Settled(asked, ()))
    return list({each.settings.model_dump_json(): each for each in settled}.values())


def _list_curve(cells: Sequence[CellSettings], config: StudyConfig) -> list[CellSettings]:
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


def _describe_grid(config: StudyConfig) -> str:
    """Each setting that varies, with its values."""
    grids = config.grid if isinstance(config.grid, tuple) else (config.grid,)
    told = [" x ".join(f"{path} {', '.join(spell_values(path, own))}" for path, own in grid.items()) for grid in grids]
    return "; and ".join(each or "no setting varies" for each in told)


def _describe_scoring(config: StudyConfig, fine_tunes: int) -> str:
    decoding = config.decoding
    cuts = f", top-k {decoding.top_k}" if decoding.top_k else ""
    cuts += f", top-p {decoding.top_p:g}" if decoding.top_p else ""
    models = f"{fine_tunes} fine-tunes and each untouched base, on validation and test"
    return f"{models}, at temperatures {_join(decoding.temperatures)}{cuts}"


def _describe_cluster(runner: RunnerSettings) -> str:
    """Where cells run that do not run here."""
    gpus = "1 GPU if a node has any" if runner.gpus_per_cell is None else f"{runner.gpus_per_cell:g} GPU"
    where = runner.address or "this machine's own"
    return f"Ray cluster {where}; {runner.cpus_per_cell} CPU and {gpus} a cell; Prefect server needed"


def _describe_trainings(config: StudyConfig, cells: Sequence[_Settled], steps: int) -> list[tuple[str, str]]:
    """How the cells of each kind of model are trained, and how many steps all take."""
    *told, last = dict.fromkeys(_describe_training(config, cell) for cell in cells)
    return [("training", each) for each in (*told, f"{last}; {steps:,} steps in all")]


def _describe_training(config: StudyConfig, cell: _Settled) -> str:
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
    what = ["all weights of an encoder"] if "lora" in cell.ignored else []
    fixed = [
        form.format(getattr(groups[group], name))
        for path, form in told.items()
        for group, _, name in [path.partition(".")]
        if path not in config.varied and group not in cell.ignored and path not in cell.ignored
    ]
    return ", ".join([*what, *fixed, "AdamW"])


def _describe_sharing(cells: Sequence[CellSettings], trained: int, alone: int) -> str:
    """How many steps the cells would take alone, and why they take fewer."""
    saved = f"{trained:,} steps are trained instead of {alone:,}"
    schedules = {cell.training.schedule for cell in cells}
    if schedules == {"cosine"}:
        return "nothing: a cosine depends on the number of epochs, so that each cell is trained by itself"
    if trained == alone:
        return "nothing: no two cells differ in their epochs alone"
    until = "up to its decay " if "warmup-stable-decay" in schedules else ""
    return f"{until}a cell is a checkpoint of the longer ones that differ from it in epochs alone: {saved}"


class _Divided(NamedTuple):
    """A split that was tried: headlines by label in each part, and what a user should know of it."""

    division: Division
    counts: dict[str, Counter[str]]
    notes: list[str]


def _divide(config: StudyConfig, headlines: "pd.DataFrame") -> _Divided:
    """Try the split of a source's headlines.

    Raises:
        InputError: They do not fill it, too many are longer than a base model takes, or examples do not fit.
    """
    labels, group_of = (
        dict(zip(headlines["headline_id"], headlines[name], strict=True)) for name in ("label", "group_id")
    )
    division = prepare_division(config, headlines, fetch=False)
    near, given, left_out = config.data.near_duplicates, division.given, division.left_out
    folds = draw_parts_of_folds(headlines, config.split, left_out)
    parts = folds[0] if folds else draw_parts(headlines, config.split, near, given, left_out)
    for own in folds or [parts]:
        check_examples(config, headlines, own, fetch=False)
    counts = {part: Counter(labels[headline] for headline in own) for part, own in parts.items()}
    notes = [tell_long(config, division.long), tell_leaks(count_leaks(group_of, parts), len(parts["test"]))]
    if given is not None:
        notes.append(tell_moved(count_moved_of(given, left_out, parts)))
    return _Divided(division, counts, [note for note in notes if note])


def _awaits_data(config: StudyConfig) -> bool:
    """Whether the source is missing and its name is a profile's own, which stands for a file that the user has."""
    named = {load_profile(name)["data"]["source"] for name in PROFILES}
    return config.data.source in named - {EMBEDDED} and not Path(config.data.source).exists()


def _describe_columns(config: StudyConfig, read: list[ReadColumns]) -> list[tuple[str, str]]:
    """Which columns a study of the user's own data reads, and which others could be meant."""
    if config.data.source == EMBEDDED:
        return []
    lines = [("columns", columns.describe()) for columns in read if columns.describe()]
    return lines + [("warning", warning) for columns in read for warning in columns.warn()]


def _describe_data(config: StudyConfig, divided: _Divided | None) -> list[tuple[str, str]]:
    split = config.split
    if divided is None:
        classes = len(LABELS)
        left = f"up to {split.validation_per_class} a class" if split.validation_per_class else "all that is left"
        told = (
            f"{config.data.source} (not found here: give its path with --data); {split.train_per_class * classes} train"
            f", {split.test_per_class * classes} test, validation: {left}"
        )
        return [("data", told)]
    there = [label for label in LABELS if any(counted[label] for counted in divided.counts.values())]
    parts = "; ".join(
        f"{part} {counted.total():,} ({', '.join(f'{counted[label]:,} {label}' for label in there)})"
        for part, counted in divided.counts.items()
    )
    told = f"{config.data.source}{' (synthetic)' if config.data.source == EMBEDDED else ''}: {parts}"
    return [("data", told), *(("note", note) for note in divided.notes)]


def _describe_folds(config: StudyConfig) -> list[tuple[str, str]]:
    """What folds do; nothing where there are none."""
    told = (
        f"{config.split.folds}: the parts above are those of the first; every headline is in test once "
        "(split.test_per_class has no effect), and every fine-tune and baseline is trained on each; promotes nothing"
    )
    return [("folds", told)] if config.split.folds else []


def _describe_model(base: BaseModelSettings) -> str:
    models = Home.from_environment().models
    if _is_on_hub(base):
        check_hub_base(base.name, base.revision, models, fetch=False)
        return (
            f"{base.name} from the hub, revision {base.revision or 'newest'} (no such folder here), "
            f"weights: {base.quantization}"
        )
    resolved = resolve_base_model(base.name, None, models)
    check_weights(resolved, models, LONGEST_LOOK)
    plan = plan_base(resolved, base.quantization)
    weights = f"weights: {base.quantization}" if plan.kind == "causal" else f"kind: {plan.kind}"
    return f"{base.name}, files {resolved.revision}, {weights}"


def _describe_examples(config: StudyConfig) -> list[tuple[str, str]]:
    """The examples before each headline, if any cell has some."""
    prompts = {cell.prompt.model_dump_json(): cell.prompt for cell in config.resolve_all()}.values()
    told = [f"{prompt.examples} {prompt.examples_by}" for prompt in prompts if prompt.examples]
    fixed = "; fixed ones are not trained on" if any(each.endswith("fixed") for each in told) else ""
    where = f"of the train part before each headline{fixed}"
    return [("examples", f"{', '.join(dict.fromkeys(told))} {where}")] if told else []


def _describe_baselines(config: StudyConfig) -> str:
    encoder = config.baselines.embedding_model
    where = f"{encoder} from the hub"
    if encoder and is_local(encoder):
        where = f"{encoder}, files {resolve_encoder(encoder, Home.from_environment().models).revision}"
    names = [f"{kind.name} ({where})" if kind.needs_encoder else kind.name for kind in choose_kinds(config.baselines)]
    return ", ".join(names) or "none"


def _describe_needs(base: BaseModelSettings) -> str:
    if not _is_on_hub(base):
        folder = MODEL_FOLDER if base.name == "embedded" else Path(base.name).expanduser()
        gigabytes = count_weight_bytes(folder) / 1e9
        if gigabytes < LARGE_GIGABYTES:
            return "nothing more: it runs on this machine as it is, faster with a CUDA GPU"
        return f"a CUDA GPU: the weights are {gigabytes:.1f} GB of files"
    footprint = estimate_footprint(base)
    needs = ["a network, or the model in FINTONE_HOME", "HF_TOKEN if the model is gated", "a CUDA GPU"]
    if footprint:
        needs.append(
            f"about {footprint.files:.0f} GB of disk for the weights, {footprint.weights} GB of GPU memory for them in "
            f"{'4 bits' if base.quantization == 'nf4' else '16 bits'}, and about as much again to train"
        )
    return "; ".join(needs)


def _is_on_hub(base: BaseModelSettings) -> bool:
    return not Path(base.name).expanduser().exists() and HUB_NAME.fullmatch(base.name) is not None


def _join(values: Sequence[float]) -> str:
    """Values as a list, or as `1 to 13` where they are three or more in a row."""
    if len(values) > 2 and list(values) == list(range(int(values[0]), int(values[0]) + len(values))):  # noqa: PLR2004
        return f"{values[0]} to {values[-1]}"
    return ", ".join(f"{value:g}" for value in values)

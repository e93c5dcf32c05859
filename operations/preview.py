"""What a study would do, before it does anything: counts, cells, steps and needs. Trains nothing, loads no torch.

Reading the source and checking the model here also means that bad input is told at once.
"""

from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.paths import MODEL_FOLDER
from ingestion.sources import EMBEDDED
from learning.baselines.embeddings import check_encoder, is_local, resolve_encoder
from learning.baselines.registry import choose_kinds, plan_baselines
from learning.models.base_model import HUB_NAME, check_hub_base, check_weights, resolve_base_model
from learning.models.hub import check_hub_model
from learning.study.split import count_leaks
from learning.training.schedule import count_steps, count_trained_steps
from operations.intake import draw_parts, find_headlines, take_in
from reporting.verdict import tell_leaks
from schemas.columns import ReadColumns
from schemas.config import RunnerSettings, StudyConfig
from schemas.footprint import estimate_footprint
from schemas.label import LABELS
from schemas.plan import CellPlan, format_rate
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
    """Try the split of a source's headlines, and check the base model and the encoder."""
    draw_parts(headlines, config.split, config.data.near_duplicates)
    base, models = config.base_model, Home.from_environment().models
    if _is_on_hub(config):
        check_hub_model(base.name, base.revision, models)
        check_hub_base(base.name, base.revision, models, fetch=True)
    else:
        check_weights(resolve_base_model(base.name, None, models), models, LONGEST_LOOK)
    plan_baselines(config.baselines)
    if config.baselines.embedding_model:
        check_encoder(config.baselines.embedding_model, models)


def describe_study(config: StudyConfig) -> list[tuple[str, str]]:
    """Say what a study would run, as (subject, description) lines.

    Raises:
        InputError: The source or a local base model is not fit. A source may be missing if the profile names it.
    """
    grid, split = config.grid, config.split
    train = split.train_per_class * len(LABELS)
    steps = count_steps(train, config.training.batch_size, 1)
    seeds = len(grid.seeds)
    planned = [_cell(*point) for point in product(grid.learning_rates, grid.epochs, grid.seeds)]
    trained = count_trained_steps(planned, config.training, train)
    cells = seeds * len(grid.learning_rates) * len(grid.epochs)
    rates = ", ".join(format_rate(rate) for rate in grid.learning_rates)
    read: list[ReadColumns] = []
    lines = [
        ("study", f"profile {config.name}"),
        *_describe_data(config, read.append),
        *_describe_columns(config, read),
        ("base model", _describe_model(config)),
        ("baselines", _describe_baselines(config)),
        ("grid", f"{cells} cells: learning rates {rates} x epochs {_join(grid.epochs)} x seeds {_join(grid.seeds)}"),
        ("training", f"{_describe_training(config)}; {steps} steps an epoch, {trained:,} in all"),
        ("shared", _describe_sharing(config, trained, sum(cell.epochs or 0 for cell in planned) * steps)),
    ]
    extra = [count for count in grid.curve_epochs if count not in grid.epochs]
    if extra:
        more, then = seeds * len(extra), f"then epochs {_join(grid.curve_epochs)} at the rate best on validation"
        own = [_cell(grid.learning_rates[0], count, seed) for count in grid.epochs for seed in grid.seeds]
        longer = [*own, *(_cell(grid.learning_rates[0], count, seed) for count in extra for seed in grid.seeds)]
        added = count_trained_steps(longer, config.training, train) - count_trained_steps(own, config.training, train)
        lines.append(("epoch curve", f"{then}: {more} more cells, {added:,} more steps"))
        cells += more
    cuts = f", top-k {config.decoding.top_k}" if config.decoding.top_k else ""
    cuts += f", top-p {config.decoding.top_p:g}" if config.decoding.top_p else ""
    models = f"{cells + 1} models, the untouched base among them, on validation and test"
    lines.append(("scoring", f"{models}, at temperatures {_join(config.decoding.temperatures)}{cuts}"))
    if config.runner.kind == "ray":
        lines.append(("runner", _describe_cluster(config.runner)))
    return [*lines, ("needs", _describe_needs(config))]


def _describe_cluster(runner: RunnerSettings) -> str:
    """Where cells run that do not run here."""
    gpus = "1 GPU if a node has any" if runner.gpus_per_cell is None else f"{runner.gpus_per_cell:g} GPU"
    where = runner.address or "this machine's own"
    return f"Ray cluster {where}; {runner.cpus_per_cell} CPU and {gpus} a cell; Prefect server needed"


def _describe_training(config: StudyConfig) -> str:
    training = config.training
    return (
        f"{training.loss} loss, {training.schedule} schedule, batches of {training.batch_size}, LoRA r={config.lora.r} "
        f"alpha={config.lora.alpha:g} dropout={config.lora.dropout:g}, AdamW (paged, 32-bit, on a CUDA GPU)"
    )


def _cell(learning_rate: float, epochs: int, seed: int) -> CellPlan:
    """A cell as far as its steps matter."""
    return CellPlan(cell_id="", kind="fine-tuned", model="", learning_rate=learning_rate, epochs=epochs, seed=seed)


def _describe_sharing(config: StudyConfig, trained: int, alone: int) -> str:
    """How many steps the cells would take alone, and why they take fewer."""
    saved = f"{trained:,} steps are trained instead of {alone:,}"
    if config.training.schedule == "cosine":
        return "nothing: a cosine depends on the number of epochs, so that each cell is trained by itself"
    if trained == alone:
        return "nothing: no two cells differ in their epochs alone"
    if config.training.schedule == "constant":
        return f"a cell is a checkpoint of the longer ones of its learning rate and seed: {saved}"
    return f"up to its decay a cell is a checkpoint of the longer ones of its learning rate and seed: {saved}"


def _count_parts(config: StudyConfig, on_columns: Callable[[ReadColumns], None]) -> tuple[dict[str, Counter[str]], int]:
    """Headlines by label in each part of the split, and how many of test have near copies in train."""
    headlines = find_headlines(config.data, on_columns)
    labels, group_of = (
        dict(zip(headlines["headline_id"], headlines[name], strict=True)) for name in ("label", "group_id")
    )
    parts = draw_parts(headlines, config.split, config.data.near_duplicates)
    counts = {part: Counter(labels[headline] for headline in own) for part, own in parts.items()}
    return counts, count_leaks(group_of, parts)


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


def _describe_data(config: StudyConfig, on_columns: Callable[[ReadColumns], None]) -> list[tuple[str, str]]:
    split = config.split
    if _awaits_data(config):
        classes = len(LABELS)
        left = f"up to {split.validation_per_class} a class" if split.validation_per_class else "all that is left"
        told = (
            f"{config.data.source} (not found here: give its path with --data); {split.train_per_class * classes} train"
            f", {split.test_per_class * classes} test, validation: {left}"
        )
        return [("data", told)]
    counts, leaks = _count_parts(config, on_columns)
    parts = "; ".join(
        f"{part} {counted.total():,} ({', '.join(f'{counted[label]:,} {label}' for label in LABELS)})"
        for part, counted in counts.items()
    )
    told = f"{config.data.source}{' (synthetic)' if config.data.source == EMBEDDED else ''}: {parts}"
    note = tell_leaks(leaks, counts["test"].total())
    return [("data", told), *([("note", note)] if note else [])]


def _describe_model(config: StudyConfig) -> str:
    base = config.base_model
    models = Home.from_environment().models
    if _is_on_hub(config):
        check_hub_base(base.name, base.revision, models, fetch=False)
        return (
            f"{base.name} from the hub, revision {base.revision or 'newest'} (no such folder here), "
            f"weights: {base.quantization}"
        )
    resolved = resolve_base_model(base.name, None, models)
    check_weights(resolved, models, LONGEST_LOOK)
    return f"{base.name}, files {resolved.revision}, weights: {base.quantization}"


def _describe_baselines(config: StudyConfig) -> str:
    encoder = config.baselines.embedding_model
    where = f"{encoder} from the hub"
    if encoder and is_local(encoder):
        where = f"{encoder}, files {resolve_encoder(encoder, Home.from_environment().models).revision}"
    names = [f"{kind.name} ({where})" if kind.needs_encoder else kind.name for kind in choose_kinds(config.baselines)]
    return ", ".join(names) or "none"


def _describe_needs(config: StudyConfig) -> str:
    if not _is_on_hub(config):
        folder = MODEL_FOLDER if config.base_model.name == "embedded" else Path(config.base_model.name).expanduser()
        gigabytes = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e9
        if gigabytes < LARGE_GIGABYTES:
            return "nothing more: it runs on this machine as it is, faster with a CUDA GPU"
        return f"a CUDA GPU: the weights are {gigabytes:.1f} GB of files"
    footprint = estimate_footprint(config.base_model)
    needs = ["a network, or the model in FINTONE_HOME", "HF_TOKEN if the model is gated", "a CUDA GPU"]
    if footprint:
        needs.append(
            f"about {footprint.files:.0f} GB of disk for the weights, {footprint.weights} GB of GPU memory for them in "
            f"{'4 bits' if config.base_model.quantization == 'nf4' else '16 bits'}, and about as much again to train"
        )
    return "; ".join(needs)


def _is_on_hub(config: StudyConfig) -> bool:
    name = config.base_model.name
    return not Path(name).expanduser().exists() and HUB_NAME.fullmatch(name) is not None


def _join(values: tuple[float, ...]) -> str:
    """Values as a list, or as `1 to 13` where they are three or more in a row."""
    if len(values) > 2 and list(values) == list(range(int(values[0]), int(values[0]) + len(values))):  # noqa: PLR2004
        return f"{values[0]} to {values[-1]}"
    return ", ".join(str(value) if isinstance(value, int) else f"{value:g}" for value in values)

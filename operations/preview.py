"""What a study would do, before it does anything: counts, cells, steps and needs. Trains nothing, loads no torch.

Reading the source and checking the model here also means that bad input is reported at once.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from learning.baselines.embeddings import check_embedding_model
from learning.baselines.registry import plan_baselines
from learning.kinds.resolution import check_hub_base, check_weights, resolve_base_model
from learning.models.hub import check_hub_model
from learning.training.schedule import count_steps_alone, count_trained_steps
from operations.data_preview import (
    awaits_data,
    describe_columns,
    describe_data,
    describe_folds,
    divide_headlines,
    preview_cutoffs,
)
from operations.grid_preview import (
    describe_grid,
    describe_race,
    describe_sharing,
    describe_trainings,
    list_curve,
    settle_all,
)
from operations.intake import find_headlines, ingest_and_save
from operations.model_preview import (
    LONGEST_LOOK,
    describe_baselines,
    describe_examples,
    describe_model,
    describe_needs,
    is_on_hub,
    list_bases,
    note_twins,
)
from operations.reruns import preview_work
from operations.steps import warn_of_few_steps
from schemas.columns import ReadColumns
from schemas.config import StudyConfig
from schemas.label import LABELS
from schemas.listing import count, join_numbers
from schemas.runner import RunnerSettings
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd


def check_inputs(config: StudyConfig, notify: Callable[[str], None]) -> None:
    """Read the source, try the split and check the base model; if all can be used, save the ingestion.

    Args:
        config: The study.
        notify: Receives lines on what was read.

    Raises:
        InputError: One of them cannot be used.
    """
    ingest_and_save(config.data, notify, lambda headlines: _check_rest(config, headlines))


def _check_rest(config: StudyConfig, headlines: "pd.DataFrame") -> None:
    """Try the split of a source's headlines, and check the base models and the encoder."""
    models = Home.from_environment().models
    for base in list_bases(config):
        if is_on_hub(base):
            check_hub_model(base.name, base.revision, models)
            check_hub_base(base.name, base.revision, models, fetch=True)
        else:
            check_weights(resolve_base_model(base.name, None, models), models, LONGEST_LOOK)
    settle_all(config)
    divide_headlines(config, headlines)
    plan_baselines(config.baselines)
    if config.baselines.embedding_model:
        check_embedding_model(config.baselines.embedding_model, models)


def describe_study(config: StudyConfig) -> list[tuple[str, str]]:
    """Describe what a study would run, as (subject, description) lines.

    Raises:
        InputError: The source or a local base model cannot be used. A source may be missing if the profile names it.
    """
    found = settle_all(config)
    cells = [each.settings for each in found]
    read: list[ReadColumns] = []
    headlines = None if awaits_data(config) else find_headlines(config.data, read.append)
    bases = list_bases(config)
    models = [("base model", describe_model(base)) for base in bases]
    divided = None if headlines is None else divide_headlines(config, headlines)
    train = config.split.train_per_class * len(LABELS) if divided is None else divided.counts["train"].total()
    splits = len(config.split.fold_names) or 1
    trained, alone = (splits * steps(cells, train) for steps in (count_trained_steps, count_steps_alone))
    lines = [
        ("study", _describe_name(config)),
        *describe_data(config, divided),
        *describe_folds(config),
        *describe_columns(config, read),
        *models,
        *describe_examples(config),
        ("baselines", describe_baselines(config)),
        ("grid", f"{count(len(cells), 'cell')}: {describe_grid(config)}"),
        *describe_trainings(config, found, trained),
        ("shared", describe_sharing(cells, trained, alone)),
        *describe_race(config, cells, train, None if divided is None else divided.counts["validation"].total()),
    ]
    few = warn_of_few_steps(cells, train, config.split)
    lines += [("few steps", few)] if few else []
    curve = list_curve(cells, config)
    more = [cell for cell in curve if cell not in cells]
    if more:
        own = [cell for cell in curve if cell in cells]
        added = splits * (count_trained_steps(curve, train) - count_trained_steps(own, train))
        then = f"then epochs {join_numbers(config.curve_epochs)} of the cell best on validation"
        lines.append(("epoch curve", f"{then}: {count(len(more), 'more cell')}, {added:,} more steps"))
    lines += [("note", note) for note in note_twins(bases)]
    lines += [("note", note) for note in (preview_cutoffs(config, divided.tested) if divided else [])]
    if headlines is not None and divided is not None and not any(map(is_on_hub, bases)):
        lines += preview_work(config, headlines, divided.division)
    lines.append(("scoring", _describe_scoring(config, len(cells) + len(more))))
    if config.runner.kind == "ray":
        lines.append(("runner", _describe_cluster(config.runner)))
    return [*lines, *(("needs", needs) for needs in dict.fromkeys(map(describe_needs, bases)))]


def _describe_name(config: StudyConfig) -> str:
    named = f", named {config.study_name}" if config.study_name else ""
    tagged = "".join(f", {key}={value}" for key, value in config.tags.items())
    return f"profile {config.name}{named}{tagged}"


def _describe_scoring(config: StudyConfig, fine_tunes: int) -> str:
    decoding = config.decoding
    cuts = f", top-k {decoding.top_k}" if decoding.top_k else ""
    cuts += f", top-p {decoding.top_p:g}" if decoding.top_p else ""
    models = f"{count(fine_tunes, 'fine-tune')} and each untouched base that can answer, on validation and test"
    return f"{models}, at temperatures {join_numbers(decoding.temperatures)}{cuts}"


def _describe_cluster(runner: RunnerSettings) -> str:
    """Where cells run that do not run here."""
    gpus = "1 GPU if a node has any" if runner.gpus_per_cell is None else f"{runner.gpus_per_cell:g} GPU"
    where = runner.address or "this machine's own"
    return f"Ray cluster {where}; {runner.cpus_per_cell} CPU and {gpus} a cell; Prefect server needed"

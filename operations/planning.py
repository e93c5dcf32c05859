"""From a study's settings to its plan: models found and checked, cells laid out, and all of it in the warehouse."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from schemas.cell import OF_EXAMPLES, WITHOUT_EFFECT, CellSettings
from schemas.config import StudyConfig
from schemas.disk import count_weight_bytes
from schemas.plan import CellPlan, EncoderPlan, FoundModel, IngestedSource, ModelCell, StudyPlan
from schemas.stored import write_stored
from storage.home import Home

if TYPE_CHECKING:
    from learning.models.base_model import ResolvedModel
    from storage.cells import CellRecord
    from storage.studies import StudyRecord

OF_AN_UNTOUCHED_BASE = {"base_model": True, "prompt": True, "training": {"precision", "attention"}}
"""The settings that have an effect without training."""


def lay_out(config: StudyConfig, snapshot_id: str, split_id: str) -> StudyPlan:
    """Find and check the base models and the encoder, and lay out all cells, on each fold as well if there are folds.

    Raises:
        InputError: A model is missing, or cannot be used.
    """
    from learning.baselines.registry import plan_baselines
    from learning.study.fold_plan import add_folds
    from learning.study.grid import plan_study
    from learning.study.identity import fold_split_id

    encoder = _find_encoder(config.baselines.embedding_model)
    baselines = plan_baselines(config.baselines, encoder)
    study = plan_study(config, snapshot_id, split_id, partial(_find_model, cache(_resolve)), baselines, encoder)
    splits = [fold_split_id(split_id, number) for number, _ in enumerate(config.split.fold_names, start=1)]
    return add_folds(study, splits, baselines)


def plan_study(config: StudyConfig, ingested: IngestedSource, split_id: str) -> StudyPlan:
    """Lay out a study, and record its cells as planned.

    Raises:
        InputError: A model is missing, or cannot be used.
    """
    from learning.baselines.registry import plan_baselines
    from learning.study.identity import earlier_study_ids
    from storage.studies import is_known, save_study

    warehouse = Home.from_environment().warehouse
    study = lay_out(config, ingested.snapshot_id, split_id)
    baselines = plan_baselines(config.baselines, study.encoder)
    for earlier in earlier_study_ids(config, ingested.snapshot_id, study.cells[0].base, baselines):
        if is_known(warehouse, earlier):
            study = study.model_copy(update={"study_id": earlier})
    save_study(warehouse, study_record(study, ingested))
    add_plan(study)
    return study


def add_plan(study: StudyPlan) -> None:
    """Record all cells of a study as planned: those of its leaderboard, then those of each fold."""
    from storage.cells import add_cells

    warehouse = Home.from_environment().warehouse
    for plan in (study, *study.folds):
        add_cells(warehouse, study.study_id, cell_records(plan, (*plan.base_cells, *plan.baselines, *plan.cells)))


def _resolve(name: str, revision: str | None) -> "ResolvedModel":
    """Find and check a base model."""
    from learning.kinds.resolution import check_weights, resolve_base_model

    models = Home.from_environment().models
    found = resolve_base_model(name, revision, models)
    check_weights(found, models)
    return found


def _find_model(resolve: "Callable[[str, str | None], ResolvedModel]", requested: CellSettings) -> FoundModel:
    """Find a cell's base model, and settle the cell's settings as its kind of model does."""
    from learning.kinds.registry import find_kind
    from learning.kinds.resolution import plan_base

    found = resolve(requested.base_model.name, requested.base_model.revision)
    kind = find_kind(found.folder)
    settings = kind.settle(requested)
    return FoundModel(plan_base(found, settings.base_model.quantization), settings, kind.ignored(requested))


def _find_encoder(name: str | None) -> EncoderPlan | None:
    """Find and check the encoder that a study names."""
    from learning.baselines.embeddings import resolve_embedding_model

    if name is None:
        return None
    found = resolve_embedding_model(name, Home.from_environment().models)
    return EncoderPlan(name=found.name, folder=found.folder, revision=found.revision)


def study_record(study: StudyPlan, ingested: IngestedSource) -> "StudyRecord":
    """A study as the warehouse keeps it."""
    from learning.study.identity import decoding_id
    from storage.studies import StudyRecord

    bases = dict.fromkeys(cell.base for cell in study.cells)
    return StudyRecord(
        study_id=study.study_id,
        profile=study.config.name,
        snapshot_id=ingested.snapshot_id,
        split_id=study.split_id,
        base_model=", ".join(base.name for base in bases),
        base_revision=", ".join(base.revision for base in bases),
        source=ingested.source,
        synthetic=ingested.synthetic,
        config=write_stored(study.config),
        temperatures=study.config.decoding.temperatures,
        decoding_id=decoding_id(study.config.decoding),
        ingest_id=ingested.ingest_id,
        name=study.config.study_name,
        tags=study.config.tags,
    )


def cell_records(study: StudyPlan, cells: Sequence[CellPlan]) -> "list[CellRecord]":
    """Cells of a study as the warehouse keeps them."""
    return [_cell_record(study, cell) for cell in cells]


def _cell_record(study: StudyPlan, cell: CellPlan) -> "CellRecord":
    from learning.study.identity import find_later_defaults
    from storage.cells import CellRecord

    record = CellRecord(
        cell_id=cell.cell_id,
        kind=cell.kind,
        model=cell.model,
        name=cell.name,
        snapshot_id=study.snapshot_id,
        split_id=study.split_id,
        hyperparameters=_baseline_settings(study, cell),
    )
    if not isinstance(cell, ModelCell):
        return record
    absent = find_later_defaults(cell.settings)
    of_examples = {"examples", *OF_EXAMPLES}
    absent["prompt"] = (
        absent["prompt"] - of_examples if cell.settings.prompt.examples else absent["prompt"] | of_examples
    )
    groups = {name: chosen for name, chosen in OF_AN_UNTOUCHED_BASE.items() if name not in cell.ignored}
    stored = write_stored(cell.settings, include=groups, exclude=absent)
    if cell.kind == "base":
        record = replace(record, size_bytes=count_weight_bytes(cell.base.folder))
    if cell.kind == "fine-tuned":
        training = cell.settings.training
        ignored = dict.fromkeys((name for name in cell.ignored if "." not in name), True)
        absent["training"] = {*absent.get("training", ()), *WITHOUT_EFFECT}
        stored = write_stored(cell.settings, exclude={**absent, **ignored})
        record = replace(record, learning_rate=training.learning_rate, epochs=training.epochs, seed=training.seed)
    return replace(
        record,
        hyperparameters=stored,
        base_folder=str(cell.base.folder),
        kind_of_model=cell.base.kind_of_model,
        training_id=cell.training_id,
        base_revision=cell.base.revision,
        trained_until=cell.settings.base_model.trained_until,
    )


def _baseline_settings(study: StudyPlan, cell: CellPlan) -> dict[str, Any]:
    """The settings that made a baseline what it is."""
    from learning.baselines.registry import find_kind

    if study.encoder and cell.kind == "baseline" and find_kind(cell.model).needs_encoder:
        return {"embedding_model": study.encoder.name, "revision": study.encoder.revision}
    return {}

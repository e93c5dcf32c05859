"""Tasks around a study: plan it, and extend it by the epoch curve."""

from typing import Any

from prefect import task

from operations.missing import find_best
from schemas.config import StudyConfig
from schemas.plan import BaseModelPlan, CellPlan, EncoderPlan, IngestedSource, StudyPlan
from tasks.progress import announce


@task(task_run_name="plan study {config.name}")
def plan_study(config: StudyConfig, ingested: IngestedSource, split_id: str) -> StudyPlan:
    """Find and check the base model and the encoder, lay out all cells, and record them as planned."""
    from learning.baselines.registry import plan_baselines
    from learning.models.base_model import check_weights, resolve_base_model
    from learning.study.grid import plan_study as lay_out
    from learning.study.grid import running_order
    from learning.study.identity import decoding_id, earlier_study_ids
    from storage.home import Home
    from storage.studies import StudyRecord, add_cells, is_known, save_study

    home = Home.from_environment()
    base = resolve_base_model(config.base_model.name, config.base_model.revision, home.models)
    check_weights(base, home.models)
    base_plan = BaseModelPlan(
        name=base.name, folder=base.folder, revision=base.revision, quantization=config.base_model.quantization
    )
    encoder = _find_encoder(config.baselines.embedding_model)
    baselines = plan_baselines(config.baselines, encoder)
    study = lay_out(config, ingested.snapshot_id, split_id, base_plan, baselines, encoder)
    for earlier in earlier_study_ids(config, ingested.snapshot_id, base_plan, baselines):
        if is_known(home.warehouse, earlier):
            study = study.model_copy(update={"study_id": earlier})
    record = StudyRecord(
        study_id=study.study_id,
        profile=config.name,
        snapshot_id=ingested.snapshot_id,
        split_id=split_id,
        base_model=base.name,
        base_revision=base.revision,
        source=ingested.source,
        synthetic=ingested.synthetic,
        config=config.model_dump(mode="json"),
        temperatures=config.decoding.temperatures,
        decoding_id=decoding_id(config.decoding),
        ingest_id=ingested.ingest_id,
    )
    save_study(home.warehouse, record)
    add_cells(home.warehouse, study.study_id, _cell_records(study, (study.base_cell, *study.baselines, *study.cells)))
    announce(
        f"study {study.study_id}: base model {base.name}, {len(study.cells)} cells to fine-tune",
        cells=[cell.title for cell in (*study.baselines, study.base_cell, *running_order(study.cells))],
    )
    announce(_tell_steps(study))
    return study


@task(task_run_name="plan epoch curve")
def plan_epoch_curve(study: StudyPlan) -> tuple[CellPlan, ...]:
    """Choose the best learning rate on validation and add its missing epochs to the study.

    Raises:
        NothingTrainedError: No fine-tuned cell has been evaluated.
    """
    from learning.study.grid import plan_curve, running_order
    from storage.home import Home
    from storage.studies import add_cells

    warehouse = Home.from_environment().warehouse
    best = find_best(warehouse, study.study_id)
    cells = plan_curve(study, best["learning_rate"])
    add_cells(warehouse, study.study_id, _cell_records(study, cells))
    announce(
        f"epoch curve: {len(cells)} more cells at learning rate {best['learning_rate']:g}, best on validation",
        cells=[cell.title for cell in running_order(cells)],
    )
    return cells


def _tell_steps(study: StudyPlan) -> str:
    """How many steps the grid trains, and how many it need not, since cells share them."""
    from learning.training.schedule import count_steps, count_trained_steps
    from storage.home import Home
    from storage.splits import load_split_counts

    counts = load_split_counts(Home.from_environment().warehouse, study.split_id)
    train = sum(number for part, _, number in counts if part == "train")
    trained = count_trained_steps(study.cells, study.config.training, train)
    alone = sum(count_steps(train, study.config.training.batch_size, cell.epochs or 0) for cell in study.cells)
    shared = f", where each cell alone would take {alone:,} in all" if trained < alone else ""
    return f"steps to train: {trained:,}{shared}"


def _find_encoder(name: str | None) -> EncoderPlan | None:
    """Find and check the encoder that a study names."""
    from learning.baselines.embeddings import resolve_encoder
    from storage.home import Home

    if name is None:
        return None
    found = resolve_encoder(name, Home.from_environment().models)
    return EncoderPlan(name=found.name, folder=found.folder, revision=found.revision)


def _cell_records(study: StudyPlan, cells: tuple[CellPlan, ...]) -> list[Any]:
    from storage.studies import CellRecord

    return [
        CellRecord(
            cell_id=cell.cell_id,
            kind=cell.kind,
            model=cell.model,
            learning_rate=cell.learning_rate,
            epochs=cell.epochs,
            seed=cell.seed,
            snapshot_id=study.snapshot_id,
            split_id=study.split_id,
            hyperparameters=_hyperparameters(study, cell),
        )
        for cell in cells
    ]


def _hyperparameters(study: StudyPlan, cell: CellPlan) -> dict[str, Any]:
    """The settings that made the cell what it is, beside its learning rate, epochs and seed."""
    from learning.baselines.registry import find_kind

    if cell.kind == "fine-tuned":
        return study.config.model_dump(mode="json", include={"lora", "training", "prompt", "base_model"})
    if study.encoder and cell.kind == "baseline" and find_kind(cell.model).needs_encoder:
        return {"embedding_model": study.encoder.name, "revision": study.encoder.revision}
    return {}


def curve_cells(study: StudyPlan) -> tuple[CellPlan, ...]:
    """The cells that an epoch curve may add, whichever learning rate is best."""
    from learning.study.grid import plan_curve

    return tuple(cell for rate in study.config.grid.learning_rates for cell in plan_curve(study, rate))

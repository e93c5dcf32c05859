"""A home with one small cell, trained and evaluated step by step, without the flow."""

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from embedded.grammar import generate_headline
from learning.baselines.registry import plan_baselines
from learning.kinds.causal import CausalModel
from learning.kinds.resolution import plan_base, resolve_base_model
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.scoring.model_evaluation import evaluate_model
from learning.study.grid import plan_study
from learning.study.identity import decoding_id
from learning.training.recipe import Recipe
from operations.intake import ingest_and_save
from operations.planning import cell_records
from operations.records import cell_outcome, load_part, load_parts, save_results
from schemas.label import Label
from schemas.overrides import apply_overrides
from schemas.plan import FoundModel, StudyPlan
from schemas.profiles import build_config, load_profile
from schemas.stored import write_stored
from storage.cell_progress import finish_cell, start_cell
from storage.cells import add_cells
from storage.home import Home
from storage.studies import StudyRecord, save_study
from tasks.step_log import StepLog
from tests.adapters import train_adapter
from tests.splitting import divide

if TYPE_CHECKING:
    from schemas.config import StudyConfig

SMALL = (
    "split.method=hashed",
    "split.train_per_class=16",
    "split.test_per_class=10",
    "split.validation_per_class=4",
    "lora.r=8",
    "grid.learning_rates=1e-2",
    "grid.epochs=2",
)


def train_one_cell(root: Path, base_model: Path) -> StudyPlan:
    """Plan a study of one cell in the home `root`, and train and evaluate the cell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(root))
        config = _configure(_write_headlines(root), base_model)
        study = _plan_and_save(config, root, base_model)
        _train_and_evaluate(study, config, base_model)
    return study


def _write_headlines(root: Path) -> Path:
    random, source = Random(5), root / "headlines.csv"
    rows = [generate_headline(random) for _ in range(150)]
    source.write_text("\n".join(["text\tlabel", *(f"{row.text}\t{row.sentiment}" for row in rows)]))
    return source


def _configure(source: Path, base_model: Path) -> "StudyConfig":
    assignments = (f"data.source={source}", f"base_model.name={base_model}", *SMALL)
    return build_config(apply_overrides(load_profile("demo"), assignments))


def _plan_and_save(config: "StudyConfig", root: Path, base_model: Path) -> StudyPlan:
    ingested = ingest_and_save(config.data, lambda _: None)
    split = divide(ingested, config.split, config.data.near_duplicates)
    base = plan_base(resolve_base_model(str(base_model), None, root), "nf4")
    baselines = plan_baselines(config.baselines)
    study = plan_study(config, ingested.snapshot_id, split, lambda settings: FoundModel(base, settings), baselines)
    record = StudyRecord(
        study_id=study.study_id,
        profile="demo",
        snapshot_id=study.snapshot_id,
        split_id=split,
        base_model=base.name,
        base_revision=base.revision,
        source=config.data.source,
        synthetic=False,
        config=write_stored(config),
        temperatures=config.decoding.temperatures,
        decoding_id=decoding_id(config.decoding),
    )
    warehouse = Home.from_environment().warehouse
    save_study(warehouse, record)
    cells = (*study.base_cells, *study.baselines, *study.cells)
    add_cells(warehouse, study.study_id, cell_records(study, cells))
    return study


def _train_and_evaluate(study: StudyPlan, config: "StudyConfig", base_model: Path) -> None:
    home, [cell] = Home.from_environment(), study.cells
    start_cell(home.warehouse, cell.cell_id)
    loaded, train = LoadedBase(base_model, "nf4", choose_device()), load_part(study, "train")
    labels = [Label(label) for label in train.labels]
    recipe = Recipe(config.prompt, config.lora, cell.settings.training)
    outcome = train_adapter(loaded, train.texts, labels, recipe, home.adapter(cell.cell_id))
    StepLog(cell, "training").save(outcome)
    finish_cell(home.warehouse, cell.cell_id, cell_outcome(cell, outcome))
    results = evaluate_model(
        CausalModel(loaded),
        (home.adapter(cell.cell_id), None),
        load_parts(study),
        prompt=config.prompt,
        decoding=config.decoding,
        on_headlines=lambda _: None,
    )
    save_results(study, cell, results)

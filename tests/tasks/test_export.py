"""A cell leaves fintone as the model that the ledger knows, with a card that says what it is; or it does not leave."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer

from embedded.grammar import generate_headline
from learning.device import choose_device
from learning.loaded_base import LoadedBase
from learning.model_evaluation import evaluate_model
from learning.quiet import quiet_libraries
from learning.recipe import Recipe
from learning.training import train_adapter
from schemas.config import StudyConfig
from schemas.label import Label
from schemas.overrides import apply_overrides
from schemas.plan import BaseModelPlan, StudyPlan
from schemas.profiles import build_config, load_profile
from storage.home import Home
from storage.studies import StudyRecord, add_cells, finish_cell, save_study, start_cell
from storage.warehouse import writing
from tasks.export import ExportError, ExportMismatchError, export_cell
from tasks.intake import settle_split, take_in
from tasks.records import cell_outcome, load_part, load_parts, save_results
from tasks.study import _cell_records


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> tuple[Path, str, StudyPlan]:
    """A home with one cell that is trained and evaluated; its id; its study."""
    from learning.base_model import resolve_base_model
    from learning.grid import plan_study
    from learning.identity import decoding_id

    root = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(root))
        random = Random(5)
        rows = [generate_headline(random) for _ in range(150)]
        source = root / "headlines.csv"
        source.write_text("\n".join(["text\tlabel", *(f"{row.text}\t{row.sentiment}" for row in rows)]))
        config = _configure(source, tiny_folder)
        ingested = take_in(config.data, lambda _: None)
        split = settle_split(ingested, config.split, config.data.near_duplicates)
        found = resolve_base_model(str(tiny_folder), None, root)
        base = BaseModelPlan(name=found.name, folder=found.folder, revision=found.revision, quantization="nf4")
        study = plan_study(config, ingested.snapshot_id, split, base)
        home = Home.from_environment()
        record = StudyRecord(
            study_id=study.study_id,
            profile="demo",
            snapshot_id=study.snapshot_id,
            split_id=split,
            base_model=base.name,
            base_revision=base.revision,
            source=str(source),
            synthetic=False,
            config=config.model_dump(mode="json"),
            temperatures=config.decoding.temperatures,
            decoding_id=decoding_id(config.decoding),
        )
        save_study(home.warehouse, record)
        [cell] = study.cells
        add_cells(home.warehouse, study.study_id, _cell_records(study, (study.base_cell, *study.baselines, cell)))
        start_cell(home.warehouse, cell.cell_id)
        loaded, train = LoadedBase(tiny_folder, "nf4", choose_device()), load_part(study, "train")
        labels = [Label(label) for label in train.labels]
        recipe = Recipe(config.prompt, config.lora, config.training, 1e-2, 2, 42)
        outcome = train_adapter(loaded, train.texts, labels, recipe, home.adapter(cell.cell_id))
        finish_cell(home.warehouse, cell.cell_id, cell_outcome(cell, outcome))
        results = evaluate_model(
            loaded,
            home.adapter(cell.cell_id),
            load_parts(study),
            prompt=config.prompt,
            decoding=config.decoding,
            on_headlines=lambda _: None,
        )
        save_results(study, cell, results)
    return root, cell.cell_id, study


def _configure(source: Path, base: Path) -> StudyConfig:
    small = ("split.method=hashed", "split.train_per_class=16", "split.test_per_class=10")
    own = (f"data.source={source}", f"base_model.name={base}", "lora.r=8", "split.validation_per_class=4")
    grid = ("grid.learning_rates=1e-2", "grid.epochs=2")
    return build_config(apply_overrides(load_profile("demo"), [*own, *small, *grid]))


@pytest.fixture
def cell(trained: tuple[Path, str, StudyPlan], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FINTONE_HOME", str(trained[0]))
    return trained[1]


@pytest.mark.parametrize("merge", [False, True], ids=["adapter", "merged"])
def test_others_load_what_was_written_and_it_answers_as_the_ledger_has_it(
    cell: str, tiny_folder: Path, tmp_path: Path, merge: Any
) -> None:
    output = tmp_path / "model"
    lines = dict(export_cell(cell[:6], output, merge=merge))
    assert lines["cell"] == cell
    assert lines["checked"].startswith(
        "Loaded back from these files, it answers 30 test headlines as the ledger has it"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    if merge:
        model = AutoModelForCausalLM.from_pretrained(output)
        assert AutoTokenizer.from_pretrained(output)("Profit rose")["input_ids"]
        assert "quantization_config" not in json.loads((output / "config.json").read_text())
    else:
        with quiet_libraries():
            model = AutoPeftModelForCausalLM.from_pretrained(output)
        assert json.loads((output / "adapter_config.json").read_text())["base_model_name_or_path"] == str(tiny_folder)
    assert not model.training
    assert not list(output.glob("*.bin"))


def test_the_card_tells_data_licence_cell_figures_and_versions(cell: str, tmp_path: Path) -> None:
    export_cell(cell, tmp_path / "model", merge=False)
    _, header, text = (tmp_path / "model" / "README.md").read_text().split("---\n", 2)
    told = yaml.safe_load(header)
    assert (told["library_name"], told["base_model"], told["license"]) == ("peft", "tiny0", "other")
    assert "learning rate 1e-02, 2 epochs, seed 42" in text
    assert "48 train, 12 validation, 30 test" in text
    assert "Licence of the data: not known to fintone; ask whoever gave you" in text
    assert "| 0.1 | 30 | " in text
    assert "| torch | " in text
    assert "[HEADLINE] =" in text


def test_files_that_are_another_model_are_refused_and_leave_nothing(
    cell: str, trained: tuple[Path, str, StudyPlan], tmp_path: Path
) -> None:
    warehouse = trained[0] / "warehouse.duckdb"
    moved = "SET p_positive = p_positive {0} 0.2 WHERE evaluation_id IN (SELECT evaluation_id FROM evaluations)"
    with writing(warehouse) as connection:
        connection.execute(f"UPDATE ledger.predictions {moved.format('+')}")
    try:
        with pytest.raises(ExportMismatchError, match=r"of 30 headlines a probability is off by 0\.2 from the ledger"):
            export_cell(cell, tmp_path / "model", merge=False)
    finally:
        with writing(warehouse) as connection:
            connection.execute(f"UPDATE ledger.predictions {moved.format('-')}")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_told(cell: str, trained: tuple[Path, str, StudyPlan], tmp_path: Path) -> None:
    study = trained[2]
    with pytest.raises(ExportError, match="is a baseline: no adapter"):
        export_cell(study.baselines[0].cell_id, tmp_path / "model", merge=False)
    with pytest.raises(ExportError, match="is the untouched base: no adapter"):
        export_cell(study.base_cell.cell_id, tmp_path / "model", merge=False)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(ExportError, match="is there already; give a new folder"):
        export_cell(cell, tmp_path / "taken", merge=False)
    with pytest.raises(ExportError, match="make it first"):
        export_cell(cell, tmp_path / "no" / "folder", merge=False)
    assert np.all([path.name == "taken" for path in tmp_path.iterdir()])

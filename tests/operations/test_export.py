"""A cell is exported as the model of the ledger, with a card that describes it, or not at all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer

from learning.models.quiet import quiet_libraries
from operations.export import ExportError, ExportMismatchError, export_cell
from operations.models import NoModelError
from schemas.disk import format_bytes
from schemas.plan import StudyPlan
from storage.warehouse import reading, writing


@pytest.fixture
def cell(trained: tuple[Path, str, StudyPlan], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FINTONE_HOME", str(trained[0]))
    return trained[1]


@pytest.mark.parametrize("merge", [False, True], ids=["adapter", "merged"])
def test_the_script_of_an_export_answers_as_the_ledger_records(
    cell: str, trained: tuple[Path, str, StudyPlan], tmp_path: Path, merge: Any
) -> None:
    export_cell(cell, tmp_path / "model", merge=merge)
    with reading(trained[0] / "warehouse.duckdb") as connection:
        rows = connection.execute(
            "SELECT text, p_negative, p_neutral, p_positive FROM ledger.predictions JOIN evaluations"
            " USING (evaluation_id) JOIN headlines USING (headline_id) WHERE cell_id = ? AND temperature = 1"
            " AND part = 'test' LIMIT 3",
            [cell],
        ).fetchall()
    command = [sys.executable, "-I", "model/classify.py", *(text for text, *_ in rows)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [[*answer] for answer in answers] == 3 * [["headline", "negative", "neutral", "positive"]]
    for (text, *recorded), answer in zip(rows, answers, strict=True):
        assert answer["headline"] == text
        assert list(answer.values())[1:] == pytest.approx(recorded, abs=1e-4)


@pytest.mark.parametrize("merge", [False, True], ids=["adapter", "merged"])
def test_other_libraries_load_an_export_that_answers_as_the_ledger_records(
    cell: str, tiny_folder: Path, tmp_path: Path, merge: Any
) -> None:
    output = tmp_path / "model"
    lines = dict(export_cell(cell[:6], output, merge=merge))
    assert lines["cell"] == cell
    size = sum(file.stat().st_size for file in output.iterdir())
    assert lines["written"].endswith(f", {format_bytes(size)}, with a model card")
    assert lines["checked"].startswith(
        "Loaded back from these files, it answers 30 test headlines as the ledger records"
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


def test_the_card_names_data_licence_cell_figures_and_versions(cell: str, tmp_path: Path) -> None:
    export_cell(cell, tmp_path / "model", merge=False)
    _, header, text = (tmp_path / "model" / "README.md").read_text().split("---\n", 2)
    fields = yaml.safe_load(header)
    assert (fields["library_name"], fields["license"]) == ("peft", "other")
    assert "base_model" not in fields  # that would be a name of the hub
    assert "(hash of its files `" in text
    assert "learning rate 1e-02, 2 epochs, seed 42" in text
    assert "48 train, 12 validation, 30 test" in text
    assert "Licence of the data: not known to fintone; ask whoever gave you" in text
    assert "| 0.1 | 30 | " in text
    assert "| torch | " in text
    assert "[HEADLINE] =" in text


def test_an_export_that_differs_from_the_ledger_is_refused_and_leaves_nothing(
    cell: str, trained: tuple[Path, str, StudyPlan], tmp_path: Path
) -> None:
    warehouse = trained[0] / "warehouse.duckdb"
    moved = "SET p_positive = p_positive {0} 0.2 WHERE evaluation_id IN (SELECT evaluation_id FROM evaluations)"
    with writing(warehouse) as connection:
        connection.execute(f"UPDATE ledger.predictions {moved.format('+')}")
    try:
        with pytest.raises(
            ExportMismatchError, match=r"among 30 headlines a probability differs by 0\.2 from the ledger"
        ):
            export_cell(cell, tmp_path / "model", merge=False)
    finally:
        with writing(warehouse) as connection:
            connection.execute(f"UPDATE ledger.predictions {moved.format('-')}")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_refused_with_the_reason(
    cell: str, trained: tuple[Path, str, StudyPlan], tmp_path: Path
) -> None:
    study = trained[2]
    with pytest.raises(NoModelError, match="is a baseline: no adapter"):
        export_cell(study.baselines[0].cell_id, tmp_path / "model", merge=False)
    with pytest.raises(NoModelError, match="is the untouched base: no adapter"):
        export_cell(study.base_cells[0].cell_id, tmp_path / "model", merge=False)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(ExportError, match="is there already; give a new folder"):
        export_cell(cell, tmp_path / "taken", merge=False)
    with pytest.raises(ExportError, match="make it first"):
        export_cell(cell, tmp_path / "no" / "folder", merge=False)
    assert np.all([path.name == "taken" for path in tmp_path.iterdir()])

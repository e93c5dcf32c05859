"""What a newer version computes again is named before it does so, with the reason."""

import shutil
from pathlib import Path

import pytest

from learning.study import identity
from operations.planning import lay_out
from operations.preview import describe_study
from operations.reruns import describe_reruns
from schemas.plan import StudyPlan
from storage.warehouse import writing

NEWER = "0123456789ab"
"""The id of a cell by newer code."""


@pytest.fixture
def home(trained: tuple[Path, str, StudyPlan], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINTONE_HOME", str(trained[0]))
    return trained[0]


def test_nothing_is_done_again_by_the_same_version(home: Path, trained: tuple[Path, str, StudyPlan]) -> None:
    assert describe_reruns(home / "warehouse.duckdb", trained[2]) == []
    lines = dict(describe_study(trained[2].config))
    assert lines["finished"] == "1 of 1 fine-tune of the grid; what is finished is not trained again"
    assert "again" not in lines


def test_cells_that_another_version_trained_are_named_with_the_reason(
    home: Path, trained: tuple[Path, str, StudyPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = trained[2]
    monkeypatch.setattr(identity, "TRAINING_VERSION", 99)
    monkeypatch.setattr(identity, "TRAINING_CHANGES", {99: "dropout is drawn otherwise"})
    [cell] = study.cells
    line = f"1 cell that an older fintone trained ({cell.name}), since dropout is drawn otherwise"
    newer = lay_out(study.config, study.snapshot_id, study.split_id)
    assert newer.cells[0].cell_id != cell.cell_id
    assert describe_reruns(home / "warehouse.duckdb", newer) == [line]
    lines = dict(describe_study(study.config))
    assert (lines["again"], "finished" in lines) == (line, False)
    changes = {"lora": {"r": 3}, "prompt": {"instruction": "Say how it sounds."}, "training": {"weight_decay": 0.5}}
    for group, change in changes.items():
        other = study.config.model_copy(update={group: getattr(study.config, group).model_copy(update=change)})
        assert describe_reruns(home / "warehouse.duckdb", lay_out(other, study.snapshot_id, study.split_id)) == []


def test_baselines_that_another_version_evaluated_are_named(
    home: Path, trained: tuple[Path, str, StudyPlan], tmp_path: Path
) -> None:
    study, warehouse = trained[2], Path(shutil.copy(home / "warehouse.duckdb", tmp_path))
    [baseline, *_] = study.baselines
    with writing(warehouse) as connection:
        connection.execute(
            "UPDATE cells SET status = 'finished', environment = '{}' WHERE cell_id = ?", [baseline.cell_id]
        )
    newer = study.model_copy(update={"baselines": (baseline.model_copy(update={"cell_id": NEWER}),)})
    assert describe_reruns(warehouse, newer) == [
        f"{baseline.name}: its code has changed since it was evaluated, and answers differently"
    ]


@pytest.mark.parametrize("change", [{"revision": "other"}, {"quantization": "none"}])
def test_a_cell_on_other_weights_is_not_done_again(
    home: Path, trained: tuple[Path, str, StudyPlan], change: dict[str, str]
) -> None:
    study = trained[2]
    [cell] = study.cells
    base = cell.base.model_copy(update=change)
    for plan, expected in ((cell.base, 1), (base, 0)):
        model = cell.settings.base_model.model_copy(update={"quantization": plan.quantization})
        settings = cell.settings.model_copy(update={"base_model": model})
        newer = cell.model_copy(update={"cell_id": NEWER, "base": plan, "settings": settings})
        lines = describe_reruns(home / "warehouse.duckdb", study.model_copy(update={"cells": (newer,)}))
        assert len(lines) == expected

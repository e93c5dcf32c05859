"""What a newer version computes again is named before it does so, with the reason."""

from pathlib import Path

import pytest

from learning.study import identity
from operations.planning import lay_out
from operations.preview import describe_study
from operations.reruns import describe_reruns
from schemas.plan import StudyPlan


@pytest.fixture
def home(trained: tuple[Path, str, StudyPlan], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINTONE_HOME", str(trained[0]))
    return trained[0]


def test_nothing_is_done_again_by_the_same_version(home: Path, trained: tuple[Path, str, StudyPlan]) -> None:
    assert describe_reruns(home / "warehouse.duckdb", trained[2]) == []
    assert "again" not in dict(describe_study(trained[2].config))


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
    assert dict(describe_study(study.config))["again"] == line
    other = study.config.model_copy(update={"lora": study.config.lora.model_copy(update={"r": 3})})
    assert describe_reruns(home / "warehouse.duckdb", lay_out(other, study.snapshot_id, study.split_id)) == []

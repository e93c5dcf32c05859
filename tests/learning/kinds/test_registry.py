"""A kind of model is found by the model's files, and by its recorded name when they are out of reach."""

from pathlib import Path

import pytest

from embedded.paths import MODEL_FOLDER
from learning.kinds import causal, encoder
from learning.kinds.kind import ModelKind
from learning.kinds.registry import recorded_kind


@pytest.mark.parametrize("kind", [causal.KIND, encoder.KIND])
def test_the_recorded_name_decides_whatever_the_folder_holds(kind: ModelKind, tmp_path: Path) -> None:
    assert [recorded_kind(kind.name, folder) for folder in (MODEL_FOLDER, tmp_path / "gone")] == [kind, kind]


def test_where_no_name_is_recorded_the_files_decide(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    assert [recorded_kind(None, folder) for folder in (MODEL_FOLDER, tmp_path)] == [causal.KIND, encoder.KIND]

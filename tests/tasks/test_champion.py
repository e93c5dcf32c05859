"""The champion is compared with a study's best cell by the evaluation that is there, or is evaluated."""

import shutil
from pathlib import Path

import pytest

from schemas.plan import StudyPlan
from schemas.promotion import Champion
from tasks.promotion import _evaluate_champion
from tests.asking import ask


def test_a_champion_that_was_evaluated_on_these_headlines_is_not_loaded(
    trained: tuple[Path, str, StudyPlan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(shutil.copytree(trained[0], tmp_path / "home"))
    monkeypatch.setenv("FINTONE_HOME", str(home))
    shutil.rmtree(home / "adapters")
    known = f"cell_id = '{trained[1]}' AND temperature = 0.1 AND part = 'test'"
    found = _evaluate_champion(trained[2], Champion(trained[1], 0.1))
    assert ask(home, f"SELECT evaluation_id FROM evaluations WHERE {known}") == [(found,)]

"""The demo has the pattern of the study's figures; it takes minutes, so it runs in `make soak`."""

from pathlib import Path

import pytest

from flows.retrain import retrain
from schemas.profiles import build_config, load_profile
from storage.evaluations import load_leaderboard


@pytest.mark.soak
@pytest.mark.usefixtures("server")
def test_the_demo_has_the_pattern_of_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path))
    study_id = retrain(build_config(load_profile("demo")))
    rows = load_leaderboard(tmp_path / "warehouse.duckdb", study_id)
    accuracy = {(row["kind"], row["learning_rate"], row["epochs"], row["temperature"]): row["accuracy"] for row in rows}
    small, good, large = sorted({row["learning_rate"] for row in rows if row["learning_rate"]})

    assert sum(kind != "baseline" for kind, *_ in accuracy) == 21
    assert accuracy["base", None, None, 0.1] == pytest.approx(1 / 3, abs=0.06)
    for epochs in (1, 3):
        assert accuracy["fine-tuned", small, epochs, 0.1] == pytest.approx(1 / 3, abs=0.06)
        assert accuracy["fine-tuned", large, epochs, 0.1] == pytest.approx(1 / 3, abs=0.06)
    assert accuracy["fine-tuned", good, 3, 0.1] >= 0.80
    assert all(share < 0.45 for (*_, temperature), share in accuracy.items() if temperature == 10)

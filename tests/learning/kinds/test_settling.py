"""Settings that mean nothing to a schedule make no other cell, whatever the kind of model."""

import pytest

from learning.kinds import causal, encoder
from learning.kinds.kind import ModelKind
from schemas.cell import CellSettings
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile


def request(*assignments: str) -> list[CellSettings]:
    return build_config(apply_overrides({**load_profile("demo"), "grid": {}}, assignments)).resolve_all()


@pytest.mark.parametrize("kind", [causal.KIND, encoder.KIND])
def test_only_a_schedule_with_a_decay_has_a_decay_ratio(kind: ModelKind) -> None:
    schedules = "grid.training.schedule=constant,cosine,warmup-stable-decay"
    requested = request(schedules, "grid.training.decay_ratio=0.1,0.5")
    cells = [kind.settle(settings).training for settings in requested]
    assert {(cell.schedule, cell.decay_ratio) for cell in cells} == {
        ("constant", 0.2),
        ("cosine", 0.2),
        ("warmup-stable-decay", 0.1),
        ("warmup-stable-decay", 0.5),
    }
    named = {settings.training.schedule: "training.decay_ratio" in kind.ignored(settings) for settings in requested}
    assert named == {"constant": True, "cosine": True, "warmup-stable-decay": False}

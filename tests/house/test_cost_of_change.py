"""What a change costs: a new baseline is one file, and nothing else names it."""

from pathlib import Path

import pytest

from learning.baselines import kinds
from learning.baselines.evaluation import evaluate_baseline
from learning.baselines.registry import plan_baselines
from learning.study.evaluation import LabelledPart
from operations.preview import describe_study
from schemas.config import BaselineSettings
from schemas.label import LABELS
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile

OPTIMIST = """
import numpy as np

from learning.baselines.kind import Answers, BaselineKind
from schemas.label import LABELS, Label

BASELINE = BaselineKind(
    name="optimist",
    version=1,
    fit=lambda train: lambda texts: Answers(np.full(len(texts), LABELS.index(Label.POSITIVE))),
)
"""


@pytest.fixture
def optimist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A baseline in a file of its own, in a folder that joins the package."""
    (tmp_path / "optimist.py").write_text(OPTIMIST, encoding="utf-8")
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    return "optimist"


def test_a_new_baseline_is_one_file(optimist: str) -> None:
    config = build_config(apply_overrides(load_profile("demo"), [f"baselines.names=majority class,{optimist}"]))
    assert dict(describe_study(config))["baselines"] == "majority class, optimist"
    [plan] = plan_baselines(BaselineSettings(names=(optimist,)))
    assert (plan.name, plan.version) == ("optimist", 1)
    labels = tuple(label.value for label in LABELS)
    part = LabelledPart("test", ("a", "b", "c"), ("Profit rose", "It met", "Sales fell"), labels)
    [result] = evaluate_baseline(optimist, part, [part], 42)
    assert result.metrics.accuracy == pytest.approx(1 / 3)

"""Settings, base models and plans of the demo study, for tests of ids."""

from pathlib import Path
from typing import Any

from learning.study.identity import fine_tuned_cell_id
from schemas.cell import CellSettings
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.plan import BaselinePlan, BaseModelPlan, FoundModel
from schemas.profiles import build_config, load_profile

BASE = BaseModelPlan(
    name="embedded",
    folder=Path("model"),
    revision="0123456789abcdef",
    quantization="nf4",
    kind_of_model="causal",
    training_version=4,
    answers_untouched=True,
)
CELL: dict[str, Any] = {"split": "split", "base": BASE}
PLAN = [BaselinePlan(name="svm", version=2)]
"""The baselines of a study."""


def find_base(settings: CellSettings) -> FoundModel:
    return FoundModel(BASE, settings)


def demo(*assignments: str) -> StudyConfig:
    return build_config(apply_overrides(load_profile("demo"), assignments))


def settings(*assignments: str) -> CellSettings:
    """Settings of the demo's cell at a learning rate of 1e-3 after 3 epochs."""
    return demo("training.learning_rate=1e-3", "training.epochs=3", *assignments).resolve({})


def cell_id(*assignments: str, **changes: Any) -> str:
    return fine_tuned_cell_id(settings(*assignments), **CELL | changes)


def base_with(**changes: Any) -> BaseModelPlan:
    return BASE.model_copy(update=changes)

"""Plans, which are passed between tasks, are frozen and survive a round trip through JSON."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.plan import BaseModelPlan, CellPlan, ModelCell, StudyPlan, format_rate
from schemas.profiles import build_config, load_profile

BASE = BaseModelPlan(
    name="embedded",
    folder=Path("model"),
    revision="6" * 16,
    quantization="nf4",
    kind_of_model="causal",
    training_version=4,
    answers_untouched=True,
)
CONFIG = build_config(load_profile("demo"))
SETTINGS = CONFIG.resolve_all()[0]
OF_BASE: dict[str, Any] = {"base": BASE, "settings": SETTINGS, "model": "embedded"}
BASE_CELL = ModelCell(cell_id="0" * 12, kind="base", name="base: embedded", **OF_BASE)
FINE_TUNE = ModelCell(cell_id="1" * 12, kind="fine-tuned", name="lr=2e-06 epochs=1", training_id="7" * 12, **OF_BASE)
BASELINE = CellPlan(cell_id="2" * 12, kind="baseline", model="majority class", name="baseline: majority class")


@pytest.mark.parametrize(
    ("rate", "text"),
    [(2e-4, "2e-04"), (1.5e-3, "1.5e-03"), (2e-6, "2e-06"), (0.05, "5e-02"), (1.0, "1e+00"), (1e-10, "1e-10")],
)
def test_a_rate_has_no_more_digits_than_it_needs(rate: float, text: str) -> None:
    assert format_rate(rate) == text


@given(st.integers(1, 10**12), st.integers(-30, 3))
def test_a_rate_reads_back_as_it_was(digits: int, exponent: int) -> None:
    rate = float(f"{digits}e{exponent}")
    assert float(format_rate(rate)) == rate


def test_a_study_survives_a_round_trip_through_json() -> None:
    study = StudyPlan(
        study_id="3" * 12,
        config=CONFIG,
        snapshot_id="4" * 12,
        split_id="5" * 12,
        base_cells=(BASE_CELL,),
        baselines=(BASELINE,),
        cells=(FINE_TUNE,),
    )
    assert StudyPlan.model_validate_json(study.model_dump_json()) == study


@pytest.mark.parametrize("change", [{"kind": "champion"}, {"accuracy": 0.9}, {"cell_id": None}])
def test_what_is_no_cell_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CellPlan.model_validate(BASELINE.model_dump() | change)


def test_a_plan_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        FINE_TUNE.name = "other"

"""What travels between tasks: frozen, whole after JSON, and titled for people."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.plan import BaseModelPlan, CellPlan, StudyPlan, format_rate
from schemas.profiles import build_config, load_profile

BASE_CELL = CellPlan(cell_id="0" * 12, kind="base", model="embedded")
FINE_TUNE = CellPlan(cell_id="1" * 12, kind="fine-tuned", model="embedded", learning_rate=2e-4, epochs=3, seed=42)
BASELINE = CellPlan(cell_id="2" * 12, kind="baseline", model="majority class")


@pytest.mark.parametrize(
    ("cell", "title"),
    [
        (BASE_CELL, "base model embedded"),
        (BASELINE, "majority class"),
        (FINE_TUNE, "lr=2e-04 epochs=3 seed=42"),
    ],
)
def test_a_cell_is_titled_by_what_it_is(cell: CellPlan, title: str) -> None:
    assert cell.title == title


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


def test_a_study_survives_the_way_through_json() -> None:
    study = StudyPlan(
        study_id="3" * 12,
        config=build_config(load_profile("demo")),
        snapshot_id="4" * 12,
        split_id="5" * 12,
        base=BaseModelPlan(name="embedded", folder=Path("model"), revision="6" * 16, quantization="nf4"),
        base_cell=BASE_CELL,
        baselines=(BASELINE,),
        cells=(FINE_TUNE,),
    )
    assert StudyPlan.model_validate_json(study.model_dump_json()) == study


@pytest.mark.parametrize("change", [{"kind": "champion"}, {"accuracy": 0.9}, {"cell_id": None}])
def test_what_is_no_cell_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CellPlan.model_validate(FINE_TUNE.model_dump() | change)


def test_a_plan_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        FINE_TUNE.epochs = 9

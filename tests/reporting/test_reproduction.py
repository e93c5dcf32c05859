"""The table of published figures beside measured ones."""

from types import SimpleNamespace

import pytest

from reporting.reproduction import render_reproduction

ROW = {
    "kind": "base",
    "temperature": 0.1,
    **{f"{what}_accuracy": 0.8 for what in ("published", "measured")},
    **{f"{what}_macro_f1": 0.7 for what in ("published", "measured")},
    "accuracy_difference": 0.0,
    "macro_f1_difference": 0.0,
}


@pytest.mark.parametrize(("within", "text"), [(1, "yes"), (0, "no"), (None, "no interval")])
def test_whether_a_published_figure_is_in_the_interval(within: int | None, text: str) -> None:
    row = {**ROW, "accuracy_in_interval": None if within is None else within == 1, "macro_f1_in_interval": True}
    table = SimpleNamespace(records=lambda: [row], sql="SELECT 1")
    report = SimpleNamespace(study_id="3f9a", profile="desk", base_model="tiny", tables={"reproduction": table})
    assert f"| {text} / yes |" in render_reproduction(report)

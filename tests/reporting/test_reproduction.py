"""The table of published figures beside measured ones."""

from types import SimpleNamespace
from typing import Any

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
AWAY = " The model or the data is another, so the figures need not agree."


@pytest.mark.parametrize(("within", "text"), [(1, "yes"), (0, "no"), (None, "no interval")])
def test_whether_a_published_figure_is_in_the_interval(within: int | None, text: str) -> None:
    row = {**ROW, "accuracy_in_interval": None if within is None else within == 1, "macro_f1_in_interval": True}
    table = SimpleNamespace(records=lambda: [row], sql="SELECT 1")
    assert f"| {text} / yes |" in render_reproduction(make_report(table, "tiny", "csv"))


@pytest.mark.parametrize(
    ("model", "kind", "warning"),
    [("meta-llama/Llama-2-7b-hf", "phrasebank", ""), ("tiny", "phrasebank", AWAY), ("Llama-2-7b", "csv", AWAY)],
)
def test_figures_of_another_model_or_other_data_need_not_agree(model: str, kind: str, warning: str) -> None:
    text = render_reproduction(make_report(SimpleNamespace(records=list), model, kind))
    assert f"Published: Llama 2 7B on FinancialPhraseBank. Measured: {model} on news.csv.{warning}\n" in text


def test_names_of_others_are_no_markup() -> None:
    text = render_reproduction(make_report(SimpleNamespace(records=list), "<img src=x>", "csv"))
    assert "Measured: \\<img src=x\\> on" in text


def make_report(table: Any, model: str, kind: str) -> Any:
    """A report of which only what the table needs is there."""
    return SimpleNamespace(
        study_id="3f9a",
        profile="desk",
        base_model=model,
        source="news.csv",
        data=SimpleNamespace(kind=kind),
        tables={"reproduction": table},
    )

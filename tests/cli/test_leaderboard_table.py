"""The leaderboard in the terminal: a line for each model, a column for each temperature, all figures at any width."""

import io
from typing import Any

import pytest
from rich.console import Console

from cli.output.leaderboard import build_table


def make_row(cell_id: str, temperature: float | None, **changes: Any) -> dict[str, Any]:
    row = {
        "cell_id": cell_id,
        "cell_name": "lr=2e-04 epochs=3",
        "temperature": temperature,
        "accuracy": 0.8421,
        "accuracy_low": 0.817,
        "accuracy_high": 0.8649,
        "macro_f1": 0.8434,
        "is_champion": False,
    }
    return row | changes


def show(rows: list[dict[str, Any]], width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(
        build_table(rows, "study 1", {row["cell_id"]: row["cell_id"][:4] for row in rows})
    )
    return file.getvalue()


def test_each_model_has_one_line_and_each_temperature_one_column() -> None:
    rows = [
        *(make_row("base", temperature, cell_name="base: tiny-llama", accuracy=1.0) for temperature in (0.1, 1, 10)),
        make_row("svm", None, cell_name="baseline: TF-IDF + linear SVM"),
        *(make_row("tuned", temperature, is_champion=temperature == 0.1) for temperature in (0.1, 1, 10)),
        make_row("late", 1, cell_name="lr=2e-04 epochs=1", accuracy_low=0.5),
    ]
    lines = [line.rstrip() for line in show(rows, 100).splitlines()]
    assert lines == [
        "study 1",
        "cell                                     T=0.1          T=1         T=10      95 %",
        "base base: tiny-llama             1.000 / .843 1.000 / .843 1.000 / .843 .817-.865",
        "svm baseline: TF-IDF + linear SVM  .842 / .843                           .817-.865",
        "tune lr=2e-04 epochs=3 *           .842 / .843  .842 / .843  .842 / .843 .817-.865",
        "late lr=2e-04 epochs=1                          .842 / .843              .500-.865",
        "accuracy / macro-F1; the interval is for the first accuracy in the row; * marks",
        "the current champion",
    ]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_hides_no_figure(width: int) -> None:
    written = show([make_row("tuned", temperature) for temperature in (0.1, 1, 10)], width)
    assert written.count(".842") == 3
    assert written.count(".843") == 3
    assert "…" not in written
    assert max(map(len, written.splitlines())) <= width


def test_brackets_in_the_name_of_a_model_stay() -> None:
    written = show([make_row("base", 1, cell_name="base: models/[red]/llama")], 80)
    assert "base base: models/[red]/llama" in written

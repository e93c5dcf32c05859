"""Names of cells in the overview: what distinguishes cells stays, and texts do not overlap."""

import pytest

from reporting.charts.layout import NARROW
from reporting.charts.overview import draw_overview, fit_name

LONG = "lr=1e-04 epochs=3 schedule=constant model=all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("most", "shown"),
    [
        (len(LONG), LONG),
        (56, "lr=1e-04 epochs=3 ... model=all-MiniLM-L6-v2"),
        (30, "... model=all-MiniLM-L6-v2"),
        (12, "... model..."),
    ],
)
def test_words_in_the_middle_of_a_name_are_cut_before_its_model(most: int, shown: str) -> None:
    assert fit_name(LONG, most) == shown


def test_long_names_of_a_narrow_chart_leave_room_for_dots_and_figures() -> None:
    row = {
        "cell_id": "a",
        "cell_name": LONG,
        "kind": "fine-tuned",
        "accuracy": 0.8,
        "accuracy_low": 0.7,
        "accuracy_high": 0.9,
    }
    rows = [row, {**row, "cell_id": "b"}]
    figure = draw_overview(rows, {"a": ["chosen", "champion"]}, NARROW, "Accuracy", None, 1 / 3)
    figure.draw_without_rendering()
    [axes] = figure.axes
    assert axes.get_position().width > 0.8
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])

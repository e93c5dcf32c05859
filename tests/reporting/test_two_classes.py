"""Charts of a study of two classes show what is there: two labels, three answers, and guessing at a half."""

import pytest

from reporting.charts.confusion import draw_confusion
from reporting.charts.curves import draw_temperatures
from reporting.charts.layout import WIDE
from reporting.charts.lines import Line
from reporting.charts.overview import draw_overview

ANSWERS = ("negative", "neutral", "positive")


def test_a_long_title_of_a_confusion_chart_stays_within_it() -> None:
    rows = [{"label": "positive", "predicted": "positive", "n": 4, "share": 1.0}]
    figure = draw_confusion(rows, "chosen: model=all-MiniLM-L6-v2 lr=2e-04 epochs=1, T = 0.1")
    figure.canvas.draw()
    box = figure.axes[0].title.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert box.y1 <= figure.bbox.y1 + 3  # the space above the letters of a line


def test_a_label_without_headlines_has_no_row_in_the_confusion_chart() -> None:
    shares = {"negative": 0.25, "neutral": None, "positive": 0.5}
    rows = [
        {"label": label, "predicted": answer, "n": 4, "share": share}
        for label, share in shares.items()
        for answer in ANSWERS
    ]
    [axes] = draw_confusion(rows, "chosen fine-tune").axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["negative", "positive"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list(ANSWERS)
    assert (len(axes.texts), axes.get_ylim()) == (6, (2, 0))


@pytest.mark.parametrize("guessing", [1 / 2, 1 / 3])
def test_guessing_is_drawn_at_its_accuracy_for_the_number_of_classes(guessing: float) -> None:
    [axes] = draw_temperatures([Line(("a",), (0.1, 1.0), (0.9, 0.8))], WIDE, "Expected accuracy", guessing).axes
    [line] = [line for line in axes.lines if line.get_label() == "guessing"]
    assert list(line.get_ydata()) == [guessing] * 2
    row = {"cell_id": "a", "cell_name": "a", "kind": "base", "accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 1.0}
    [axes] = draw_overview([row], {}, WIDE, "Accuracy", None, guessing).axes
    assert [guessing] * 2 in [list(line.get_xdata()) for line in axes.lines]

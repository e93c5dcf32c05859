"""Charts of a study of two classes show what is there: two labels, three answers, and guessing at a half."""

from reporting.charts import draw_confusion, draw_temperatures
from schemas.report import Table

ANSWERS = ("negative", "neutral", "positive")


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


def test_guessing_is_right_once_in_as_many_times_as_there_are_classes() -> None:
    table = Table("", ("cell_name", "temperature", "expected_accuracy"), [("a", 0.1, 0.9), ("a", 1.0, 0.8)])
    for classes in (2, 3):
        [axes] = draw_temperatures(table, "Expected accuracy", classes).axes
        [guessing] = [line for line in axes.lines if line.get_label() == "guessing"]
        assert list(guessing.get_ydata()) == [1 / classes] * 2

"""Answers are compared with the labels of a source: which words count, and what the lines say."""

import pandas as pd
import pytest

from operations.labelled_answers import LabelledAnswers
from schemas.source import DataSettings
from storage.scores import PROBABILITIES

READING = DataSettings(source="news.csv", label_map={"up": "positive", "mixed": None})
UNPARSED, NEUTRAL, POSITIVE = (0, 0.2, 0.45, 0.35), (0, 1, 0, 0), (0, 0, 1, 0)


def compare(*rows: tuple[str | None, tuple[float, ...], bool]) -> LabelledAnswers:
    """Rows of a word, the probabilities of negative, neutral, positive and unparsed, and whether it was trained on."""
    labelled = LabelledAnswers(READING)
    words, answers, in_sample = zip(*rows, strict=True)
    frame = pd.DataFrame(answers, columns=["p_negative", "p_neutral", "p_positive", "p_unparsed"])
    assert set(PROBABILITIES) == set(frame.columns)
    word = pd.Series(words, dtype="object")
    labelled.add(frame.assign(word=word, in_sample=in_sample, true_label=labelled.list_labels(words)))
    return labelled


def test_an_answer_that_is_rather_no_label_than_another_counts_as_neutral() -> None:
    unparsed = [(word, UNPARSED, False) for word in ("neutral", "neutral", "up")]
    [line] = compare(*unparsed, ("up", POSITIVE, False)).describe()
    assert line.startswith("evaluation: accuracy .750 ")
    assert line.endswith(" on 4 labelled rows; the model was trained on 0 of them")


@pytest.mark.parametrize(("trained", "lines"), [(0, 1), (1, 2), (2, 1)])
def test_rows_that_were_trained_on_are_taken_out_where_others_are_left(trained: int, lines: int) -> None:
    rows = [("up", NEUTRAL if number < trained else POSITIVE, number < trained) for number in range(2)]
    found = compare(*rows).describe()
    assert len(found) == lines
    assert f"trained on {trained} of them" in found[0]
    if lines == 2:
        assert found[1].startswith("evaluation without these: accuracy 1.000 ")
        assert found[1].endswith(" on 1 labelled rows")


def test_rows_without_a_known_label_are_counted_by_word_except_those_that_are_left_out() -> None:
    odd = [("odd", POSITIVE, False)] * 3 + [("strange", POSITIVE, False)] * 2
    labelled = compare(*odd, ("", POSITIVE, False), (None, POSITIVE, False), ("n/a", POSITIVE, False))
    text = "8 rows without a known label (3 empty, 3 'odd', 2 'strange'); --label-map gives the meaning of words"
    assert labelled.explain_nothing() == f"nothing to evaluate, {text}"
    assert compare(("mixed", POSITIVE, False)).explain_nothing() == "nothing to evaluate, it has no row with an answer"
    known = compare(*odd, ("Up ", POSITIVE, False), ("mixed", POSITIVE, False))
    assert known.explain_nothing() is None
    assert known.describe()[0].startswith("evaluation: 5 rows without a known label (3 'odd', 2 'strange'); ")

"""An answer that is no label: neutral in an evaluation, unparsed in a scoring, and never a reason for confidence."""

import numpy as np
import pytest

from learning.study.unparsed import answer, is_unparsed, with_unparsed

PROBABILITIES = np.array(
    [
        [0.0014, 0.0076, 0.0, 0.991],
        [0.2, 0.3, 0.35, 0.15],
        [0.4, 0.2, 0.0, 0.4],
        [0.3, 0.3, 0.3, 0.1],
        [0.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 0.0],
    ]
)


def test_an_answer_that_is_no_label_is_called_unparsed_with_little_confidence():
    labels, confidence = answer(PROBABILITIES, "label")
    assert labels == ["unparsed", "positive", "negative", "negative", "unparsed", "neutral"]
    assert confidence == pytest.approx([0.0076, 0.35, 0.4, 0.3, 0.0, 1.0])


def test_by_the_studys_rule_it_is_neutral_still_with_little_confidence():
    labels, confidence = answer(PROBABILITIES, "neutral")
    assert labels == ["neutral", "neutral", "neutral", "neutral", "neutral", "neutral"]
    assert confidence == pytest.approx([0.0076, 0.3, 0.2, 0.3, 0.0, 1.0])


def test_no_headlines_have_no_answers():
    assert answer(np.empty((0, 4)), "label")[0] == []


def test_a_label_that_is_as_likely_as_unparsed_is_the_answer():
    assert is_unparsed(PROBABILITIES).tolist() == [True, False, False, False, True, False]


def test_counting_unparsed_as_neutral_does_not_change_the_given_probabilities():
    before = PROBABILITIES.copy()
    assert with_unparsed(PROBABILITIES)[0] == pytest.approx([0.0014, 0.9986, 0.0])
    assert (before == PROBABILITIES).all()

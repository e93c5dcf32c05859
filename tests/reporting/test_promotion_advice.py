"""A decision of the gate in a sentence, and what may help a cell that it did not promote."""

from datetime import datetime
from typing import Any

import pytest

from reporting.promotion import describe_advice, describe_decision, describe_match, describe_same_look
from schemas.promotion import Champion

KEPT = {"decision": "kept", "cell_id": "3f9a", "previous_cell_id": "77bc", "reason": "does not beat it"}


@pytest.mark.parametrize(
    ("decision", "before", "sentence"),
    [
        ("promoted", None, "promoted cell 3f9a to be the first champion"),
        ("promoted", "77bc", "promoted cell 3f9a in place of cell 77bc"),
        ("kept", None, "did not promote cell 3f9a, and there was no champion"),
        ("kept", "77bc", "did not promote cell 3f9a, and the champion stayed cell 77bc"),
        ("kept", "3f9a", "found that cell 3f9a was the champion already"),
    ],
)
def test_a_decision_names_the_cell_and_the_champion_before(decision: str, before: str | None, sentence: str) -> None:
    row = {"decision": decision, "cell_id": "3f9a", "previous_cell_id": before, "decided_at": datetime(2026, 3, 9)}  # noqa: DTZ001
    assert describe_decision(row) == f"On 09 March 2026 the gate {sentence}"


@pytest.mark.parametrize(
    ("decision", "before", "words"),
    [
        ("promoted", None, "with no champion to beat, and other thresholds do not make a second look. It was promoted"),
        ("kept", "77bc", "against the same champion, and other thresholds do not make a second look. It was not prom"),
    ],
)
def test_a_repeated_decision_names_the_study_that_made_it(decision: str, before: str | None, words: str) -> None:
    row = {"decision": decision, "previous_cell_id": before, "study_id": "5c5c", "reason": "accuracy .9"}
    text = describe_same_look(row)
    assert text.startswith(f"study 5c5c judged it before on the same headlines {words}")
    assert text.endswith("promoted then: accuracy .9")


def test_a_match_with_the_champion_has_the_accuracies_of_both() -> None:
    row: dict[str, Any] = {**KEPT, "previous_accuracy": 0.8, "accuracy": 0.834, "n": 1_200, "p_value": 0.0031}
    row |= {"difference": 0.034, "difference_low": 0.012, "difference_high": 0.057}
    assert describe_match(row) == (
        "The champion of that day, cell 77bc, had an accuracy of 0.800 on the 1,200 of them that it did not learn from,"
        " and this one 0.834: +.034 [.012, .057], p=.003"
    )
    assert describe_match({**row, "previous_cell_id": "3f9a"}) is None  # the champion itself
    assert describe_match({**row, "previous_accuracy": None}) is None


def test_a_cell_that_was_kept_back_has_advice() -> None:
    for champion in (None, Champion("77bc", 0.1)):
        advice = describe_advice(KEPT, champion)
        assert advice
        assert advice.endswith("or `fintone promote 3f9a --reason WHY`, by hand")


def test_a_cell_that_is_worse_beyond_noise_needs_no_more_test_headlines() -> None:
    reasons = ("does not beat the champion 77bc", "beats the best baseline svm; is worse than the champion 77bc")
    unclear, worse = (describe_advice({**KEPT, "reason": reason}, None) for reason in reasons)
    assert "what may help: more test headlines, for narrower intervals; other" in str(unclear)
    assert str(worse).startswith("what may help: other settings (--grid), more train")


def test_the_champion_needs_no_advice() -> None:
    assert describe_advice(KEPT, Champion("3f9a", 0.1)) is None
    assert describe_advice({**KEPT, "decision": "promoted"}, None) is None

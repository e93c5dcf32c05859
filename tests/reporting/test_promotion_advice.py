"""After the gate kept a cell back, a run says what may help, unless a person promoted it since."""

from reporting.promotion import describe_advice
from schemas.promotion import Champion

KEPT = {"decision": "kept", "cell_id": "3f9a", "previous_cell_id": "77bc"}


def test_a_cell_that_was_kept_back_has_advice() -> None:
    for champion in (None, Champion("77bc", 0.1)):
        advice = describe_advice(KEPT, champion)
        assert advice
        assert advice.endswith("or `fintone promote 3f9a --reason WHY`, by hand")


def test_the_champion_needs_no_advice() -> None:
    assert describe_advice(KEPT, Champion("3f9a", 0.1)) is None
    assert describe_advice({**KEPT, "decision": "promoted"}, None) is None

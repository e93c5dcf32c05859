"""Who is champion, who was, and that each decision stays."""

import pytest

from schemas.promotion import Champion
from storage.champions import (
    ChampionChangedError,
    Decision,
    NoChampionError,
    load_champion,
    load_champion_before,
    load_decision,
    save_decision,
)
from storage.query import query


def decide(warehouse, decision: str, cell_id: str, by: str = "gate") -> None:
    record = Decision(decision, by, "because", "study", cell_id, 0.1)
    save_decision(warehouse, record, load_champion(warehouse))


def roll_back(warehouse) -> None:
    decide(warehouse, "rolled back", load_champion_before(warehouse).cell_id, "person")


def test_there_is_no_champion_before_the_first(warehouse):
    assert load_champion(warehouse) is None
    with pytest.raises(NoChampionError, match="no cell has been promoted, so that there is no earlier one"):
        load_champion_before(warehouse)
    decide(warehouse, "kept", "weak")
    assert load_champion(warehouse) is None


def test_a_refusal_leaves_the_champion_and_is_a_row(warehouse):
    decide(warehouse, "promoted", "one")
    decide(warehouse, "kept", "weak")
    assert load_champion(warehouse) == Champion("one", 0.1)
    rows = query(
        warehouse, "SELECT decision, cell_id, champion_cell_id, previous_cell_id FROM champions ORDER BY decided_at"
    ).rows
    assert rows == [("promoted", "one", "one", None), ("kept", "weak", "one", "one")]


def test_each_roll_back_goes_one_champion_further_back(warehouse):
    for cell_id in ("one", "two", "three"):
        decide(warehouse, "promoted", cell_id)
    seen = []
    for _ in range(2):
        roll_back(warehouse)
        seen.append(load_champion(warehouse).cell_id)
    assert seen == ["two", "one"]
    with pytest.raises(NoChampionError, match="one is the first one"):
        load_champion_before(warehouse)
    decide(warehouse, "promoted", "four")
    decide(warehouse, "kept", "weak")
    roll_back(warehouse)
    assert load_champion(warehouse).cell_id == "one"


def test_a_decision_against_a_former_champion_is_refused(warehouse):
    decide(warehouse, "promoted", "one")
    stale = load_champion(warehouse)
    decide(warehouse, "promoted", "two")
    with pytest.raises(ChampionChangedError, match="two became it in the meantime"):
        save_decision(warehouse, Decision("promoted", "gate", "late", "study", "three", 0.1), stale)
    assert load_champion(warehouse).cell_id == "two"


def test_only_a_decision_of_the_gate_counts_as_a_judgement_of_a_study(warehouse):
    decide(warehouse, "promoted", "one", by="person")
    assert load_decision(warehouse, "study") is None
    decide(warehouse, "kept", "weak")
    assert load_decision(warehouse, "study")["cell_id"] == "weak"

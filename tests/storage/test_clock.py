"""The latest is what was written last, even if the clock is set back two days between any two writes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.promotion import Champion
from storage.cells import add_cells, load_cell
from storage.champions import Decision, load_champion, load_champion_before, load_decision, save_decision
from storage.comparisons import load_pairings
from storage.evaluations import save_evaluations
from storage.exports import load_canaries, load_card
from storage.headlines import save_ingestion
from storage.lookup import find_study
from storage.studies import load_config_of, load_study_of, save_study, start_study
from storage.suggestions import suggest_cells, suggest_studies
from storage.visits import record_visit
from tests.asking import ask

TWO_DAYS = timedelta(days=2)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Sets the clock of the warehouse back by two days at each call."""
    now = [datetime(2026, 3, 9, 12, tzinfo=UTC)]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return now[0]

    monkeypatch.setattr("storage.warehouse.datetime", Clock)

    def set_back() -> None:
        now[0] -= TWO_DAYS

    return set_back


def decide(warehouse, decision: str, cell_id: str, by: str = "gate", study: str = "study") -> None:
    save_decision(warehouse, Decision(decision, by, "because", study, cell_id, 1), load_champion(warehouse))


def test_the_champion_is_the_cell_promoted_last_and_a_roll_back_goes_to_the_one_before(finished, clock):
    for cell_id in ("base", "tuned", "svm"):
        decide(finished, "promoted", cell_id)
        clock()
        assert load_champion(finished) == Champion(cell_id, 1)
    assert ask(finished, "SELECT DISTINCT cell_id FROM leaderboard WHERE is_champion") == [("svm",)]
    for expected in ("tuned", "base"):
        before = load_champion_before(finished)
        decide(finished, "rolled back", before.cell_id, "person")
        clock()
        assert load_champion(finished) == before == Champion(expected, 1)
    assert ask(finished, "SELECT number FROM champions ORDER BY decided_at DESC") == [(n,) for n in range(1, 6)]


def test_many_decisions_within_one_tick_of_the_clock_are_distinct(finished):
    for cell_id in ("base", "tuned", "base", "tuned"):
        decide(finished, "promoted", cell_id)
    assert load_champion(finished) == Champion("tuned", 1)
    assert ask(finished, "SELECT count(DISTINCT champion_id) FROM champions") == [(4,)]


def test_the_decision_on_a_study_is_its_last(finished, clock):
    decide(finished, "kept", "base")
    clock()
    decide(finished, "promoted", "tuned")
    assert load_decision(finished, "study")["cell_id"] == "tuned"


@pytest.fixture
def later(finished, clock, study, cell, evaluation, predict):
    """A second study of the same cells, with another decoding, made when the clock was two days behind."""
    clock()
    again = study(study_id="later", decoding_id="top-5", config={"name": "later"}, source="later.csv")
    save_study(finished, again)
    add_cells(finished, "later", [cell(), cell(cell_id="base", kind="base", learning_rate=None)])
    records = [
        evaluation(cell_id, 1, evaluation_id=f"{cell_id} later", decoding_id="top-5", top_k=5)
        for cell_id in ("tuned", "base")
    ]
    for each, predicted in zip(records, ("neutral", "positive"), strict=True):
        save_evaluations(finished, [each], predict(each.evaluation_id, predicted))
    return finished


def test_the_latest_study_is_the_one_that_was_started_last(later, clock):
    assert find_study(later, None) == load_study_of(later, "tuned") == "later"
    assert ask(later, "SELECT latest_study()") == [("later",)]
    assert load_config_of(later, "tuned") == {"name": "later"}
    assert load_card(later, load_cell(later, "tuned")).source == "later.csv"
    [pairing] = [each for each in load_pairings(later, "tuned", "base", "test") if each.temperature == 1]
    assert pairing.study_id == "later"
    assert [identifier for identifier, _ in suggest_studies(later, "")] == ["later", "study"]
    clock()
    start_study(later, "study", {"name": "paper"})
    assert find_study(later, None) == load_study_of(later, "tuned") == "study"
    assert ask(later, "SELECT latest_study()") == [("study",)]
    assert [identifier for identifier, _ in suggest_studies(later, "")] == ["study", "later"]
    assert suggest_cells(later, "", fine_tuned=True)[0][0] == "tuned"


def test_the_canaries_of_an_export_are_those_of_the_latest_study(later):
    assert load_canaries(later, "tuned", 3).top_k == 5


def test_the_snapshot_before_is_the_one_that_its_place_held_last(data, clock, source, accepted, rejected, quarantined):
    def ingest(name: str, rows: int, location: str = "/data/news.csv") -> None:
        clock()
        record = replace(source, ingest_id=name, snapshot_id=name, location=location)
        save_ingestion(data, record, accepted.iloc[:rows], rejected.iloc[:0], quarantined.iloc[:0])

    ingest("second", 5)
    ingest("third", 4)
    ingest("elsewhere", 3, "/data/copy.csv")
    clock()
    record_visit(data, "/data/news.csv", "second", "{}")
    ingest("fourth", 2)
    rows = ask(data, "SELECT snapshot_id, previous_snapshot_id FROM snapshots ORDER BY number")
    assert rows == [
        ("snapshot", None),
        ("second", "snapshot"),
        ("third", "second"),
        ("elsewhere", "third"),  # the latest that shares a headline
        ("fourth", "second"),  # what its place held when it was visited last
    ]
    visits = ask(data, "SELECT ingest_id FROM source_visits WHERE location = '/data/news.csv' ORDER BY number")
    assert visits == [("ingest",), ("second",), ("third",), ("second",), ("fourth",)]

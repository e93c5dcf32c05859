"""Every look that the gate has taken at test headlines is counted, whatever their split is called, and none is lost."""

from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import pandas as pd
import pytest

from schemas.promotion import Champion, Look
from storage.champions import ChampionChangedError, Decision, load_champion, save_decision
from storage.headlines import save_ingestion
from storage.looks import load_standing
from storage.query import QueryError, query
from storage.splits import save_split
from storage.studies import save_study
from storage.warehouse import prepare_warehouse
from tests.asking import ask

IDS = [f"{number:016d}" for number in range(12)]


@pytest.fixture
def add_study(warehouse, source, rejected, quarantined, study):
    """Adds a snapshot of some headlines, split as given, and a study of it."""

    def add(name: str, test: list[str], rest: list[str], changes: dict[str, str] | None = None) -> None:
        ids = [*test, *rest]
        frame = pd.DataFrame({"headline_id": ids, "text_id": ids, "masked_id": ids, "group_id": ids, "text": ids})
        frame = frame.assign(
            label="neutral",
            copies=1,
            context=None,
            instrument=None,
            agreement=pd.array([None] * len(ids), dtype="Int64"),
        )
        for column, prefix in (changes or {}).items():
            frame[column] = prefix + frame[column]
        record = replace(source, ingest_id=name, snapshot_id=name, location=name)
        save_ingestion(warehouse, record, frame, rejected.iloc[:0], quarantined.iloc[:0])
        headline_ids = frame["headline_id"].tolist()
        save_split(warehouse, name, name, {"test": headline_ids[: len(test)], "train": headline_ids[len(test) :]}, {})
        save_study(warehouse, study(study_id=name, snapshot_id=name, split_id=name))

    return add


def look(warehouse, study: str, evaluation_id: str, decision: str = "kept", level: float = 0.05) -> None:
    """A judgement by the gate that read the test figures of a study."""
    record = Decision(decision, "gate", "because", study, f"cell of {study}", 0.1)
    record = replace(record, evaluation_id=evaluation_id, promotion_level=level, look=1, level=level)
    save_decision(warehouse, record, load_champion(warehouse))


def shares(warehouse, split: str) -> list[float]:
    return [round(each.share, 9) for each in load_standing(warehouse, split, "mine").looks]


def test_nobody_has_looked_at_first(warehouse, add_study):
    add_study("one", IDS[:4], IDS[4:8])
    standing = load_standing(warehouse, "one", "mine")
    assert (standing.champion, standing.number, standing.looks, standing.same_look) == (None, 0, (), None)


def test_each_judgement_of_the_same_headlines_is_a_look_whatever_the_split_is_called(warehouse, add_study):
    add_study("one", IDS[:4], IDS[4:8])
    add_study("two", IDS[:4], IDS[4:8])
    look(warehouse, "one", "a", level=0.05)
    look(warehouse, "two", "b", level=0.2)
    assert load_standing(warehouse, "two", "mine").looks == (Look(1, 0.05), Look(1, 0.2))


def test_another_test_part_of_the_same_headlines_is_one_more_look_at_them(warehouse, add_study):
    add_study("one", IDS[:4], IDS[4:8])
    add_study("other seed", IDS[4:8], IDS[:4])
    look(warehouse, "one", "a")
    assert shares(warehouse, "other seed") == [1]


def test_headlines_that_are_new_share_no_look(warehouse, add_study):
    add_study("one", IDS[:4], IDS[4:6])
    add_study("grown", [*IDS[:3], *IDS[8:9]], IDS[3:6])
    add_study("new", IDS[8:12], IDS[:6])
    look(warehouse, "one", "a")
    assert shares(warehouse, "grown") == [0.75]
    assert shares(warehouse, "new") == []


@pytest.mark.parametrize("same", ["text_id", "masked_id"])
def test_a_copy_is_not_a_new_headline(warehouse, add_study, same):
    add_study("one", IDS[:4], IDS[4:6])
    changed = {name: "x" for name in ("headline_id", "text_id", "masked_id") if name != same}
    add_study("copies", IDS[:4], [], changed)
    look(warehouse, "one", "a")
    assert shares(warehouse, "copies") == [1]


def test_the_same_figures_are_one_look_however_often_they_are_read(warehouse, add_study):
    add_study("one", IDS[:4], IDS[4:8])
    add_study("two", IDS[:4], IDS[4:8])
    look(warehouse, "one", "a")
    look(warehouse, "two", "a")
    standing = load_standing(warehouse, "one", "a")
    assert len(standing.looks) == 1
    assert standing.same_look["study_id"] == "one"
    look(warehouse, "two", "b", decision="promoted")
    assert load_standing(warehouse, "one", "a").same_look is None  # another champion is to be beaten now
    look(warehouse, "one", "a")
    assert len(load_standing(warehouse, "one", "c").looks) == 3


def test_a_decision_of_a_person_is_no_look(warehouse, add_study):
    add_study("one", IDS[:4], IDS[4:8])
    save_decision(warehouse, Decision("promoted", "person", "because", "one", "cell", 0.1), None)
    standing = load_standing(warehouse, "one", "mine")
    assert (standing.champion, standing.number, standing.looks) == (Champion("cell", 0.1), 1, ())


def test_a_judgement_that_does_not_know_of_the_last_look_is_refused(warehouse, add_study):
    add_study("one", IDS[:4], IDS[4:8])
    standing = load_standing(warehouse, "one", "mine")
    look(warehouse, "one", "a")
    late = Decision("promoted", "gate", "because", "one", "cell", 0.1)
    with pytest.raises(ChampionChangedError, match="another study was judged in the meantime"):
        save_decision(warehouse, late, standing.champion, standing.number)
    assert load_champion(warehouse) is None


@pytest.fixture
def older_home(make_older_warehouse):
    """A home of the version before looks were counted, with three studies whose test headlines overlap."""
    path = make_older_warehouse(13)
    with duckdb.connect(path) as connection:
        for name in IDS[:8]:
            insert(connection, "headlines", headline_id=name, text="x", label="neutral", first_ingest_id="i")
        for day, (name, size) in enumerate({"one": 4, "two": 4, "three": 8}.items()):
            for headline_id in IDS[:size]:
                insert(connection, "splits", split_id=name, snapshot_id=name, headline_id=headline_id, part="test")
                insert(
                    connection, "snapshot_headlines", snapshot_id=name, headline_id=headline_id, position=0, copies=1
                )
            insert_study(connection, name, name, day)
            insert_decision(connection, f"decision {name}", name, day)
    return path


def insert(connection, table: str, **values) -> None:
    columns = ", ".join(f"? AS {name}" for name in values)
    connection.execute(f"INSERT INTO {table} BY NAME SELECT {columns}", list(values.values()))


def insert_study(connection, study_id: str, split: str, day: int) -> None:
    facts = {"profile": "desk", "base_model": "m", "source": "s", "synthetic": False, "status": "finished"}
    place = {"snapshot_id": split, "split_id": split, "temperatures": [0.1], "decoding_id": "all"}
    config = '{"promotion": {"level": 0.1}}'
    insert(connection, "studies", study_id=study_id, config=config, started_at=at(day), **facts, **place)


def insert_decision(connection, champion_id: str, study_id: str, day: float, **changes) -> None:
    values = {"decision": "kept", "decided_by": "gate", "reason": "weak", "cell_id": "cell", "temperature": 0.1}
    insert(connection, "champions", champion_id=champion_id, study_id=study_id, decided_at=at(day), **values | changes)


def insert_evaluation(connection, evaluation_id: str, temperature: float) -> None:
    """Of the cell, on the test part of the first split."""
    columns = connection.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = 'evaluations'").fetchall()
    values = {"evaluation_id": evaluation_id, "cell_id": "cell", "split_id": "one", "part": "test"}
    values |= {"temperature": temperature, "decoding_id": "all", "evaluated_at": at(0)}
    insert(connection, "evaluations", **{name: 0 for (name,) in columns} | values)


def at(day: float) -> datetime:
    return datetime(2026, 1, 1) + timedelta(days=day)  # noqa: DTZ001 (as the warehouse holds times)


NUMBERED = "SELECT number, study_id, look, promotion_level, evaluation_id FROM champions ORDER BY number"


def test_looks_of_an_older_home_are_counted_and_those_of_a_person_are_not(older_home):
    with duckdb.connect(older_home) as connection:
        insert_decision(connection, "person", "one", 0.5, decision="promoted", decided_by="person")
        insert_decision(connection, "again", "three", 3, reason="it is the champion already")
    prepare_warehouse(older_home)
    assert ask(older_home, NUMBERED) == [
        (1, "one", 1, 0.1, "decision one"),
        (2, "one", None, None, None),
        (3, "two", 2, 0.1, "decision two"),
        (4, "three", 2, 0.1, "decision three"),
        (5, "three", None, None, None),
    ]
    studies = ask(older_home, "SELECT study_id FROM studies ORDER BY number")
    assert studies == [("one",), ("two",), ("three",)]
    assert load_standing(older_home, "three", "mine").looks == (Look(0.5, 0.1), Look(0.5, 0.1), Look(1, 0.1))


def test_in_an_older_home_the_same_figures_are_one_look_too(older_home):
    with duckdb.connect(older_home) as connection:
        insert_study(connection, "other thresholds", "one", 5)
        insert_decision(connection, "again", "other thresholds", 5)
        insert_evaluation(connection, "evaluation", 0.1)
    prepare_warehouse(older_home)
    rows = ask(older_home, NUMBERED)
    assert rows[0] == (1, "one", 1, 0.1, "evaluation")
    assert rows[3] == (4, "other thresholds", 1, 0.1, "evaluation")
    assert load_standing(older_home, "one", "evaluation").same_look["study_id"] == "one"
    assert len(load_standing(older_home, "one", "mine").looks) == 3


def test_decisions_of_the_first_versions_get_the_temperature_at_which_they_judged(older_home):
    with duckdb.connect(older_home) as connection:
        connection.execute("UPDATE champions SET temperature = NULL")
        insert_decision(connection, "first", "one", 4, decision="promoted", champion_cell_id="cell", temperature=None)
        insert_decision(connection, "second", "one", 5, champion_cell_id="cell", temperature=None)
        insert_evaluation(connection, "cold", 0.1)
        insert_evaluation(connection, "warm", 1)
    prepare_warehouse(older_home)
    assert load_champion(older_home) == Champion("cell", 0.1)
    assert ask(older_home, NUMBERED)[0] == (1, "one", 1, 0.1, "cold")
    before = ask(older_home, "SELECT previous_cell_id, previous_temperature FROM champions ORDER BY number")
    assert before == [(None, None)] * 4 + [("cell", 0.1)]


def test_a_query_of_what_an_older_home_lacks_is_refused_with_the_remedy(older_home):
    with pytest.raises(QueryError, match="an older fintone made the warehouse, and `fintone report` brings it up to"):
        query(older_home, "SELECT latest_study()")

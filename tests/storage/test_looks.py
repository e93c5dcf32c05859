"""Which looks at the test headlines the gate has taken, whatever they were called, and that none of them is lost."""

import shutil
from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from schemas.promotion import Champion, Look
from storage import warehouse as room
from storage.champions import ChampionChangedError, Decision, load_champion, save_decision
from storage.headlines import save_ingestion
from storage.looks import load_standing
from storage.query import query
from storage.splits import save_split
from storage.studies import save_study
from storage.warehouse import prepare_warehouse

IDS = [f"{number:016d}" for number in range(12)]


@pytest.fixture
def add_study(warehouse, source, rejected, quarantined, study):
    """Adds a snapshot of some headlines, split as told, and a study of it."""

    def add(name: str, test: list[str], rest: list[str], changes: dict[str, str] | None = None) -> None:
        ids = [*test, *rest]
        frame = pd.DataFrame({"headline_id": ids, "text_id": ids, "masked_id": ids, "group_id": ids, "text": ids})
        frame = frame.assign(label="neutral", copies=1, agreement=pd.array([None] * len(ids), dtype="Int64"))
        for column, prefix in (changes or {}).items():
            frame[column] = prefix + frame[column]
        record = replace(source, ingest_id=name, snapshot_id=name, location=name)
        save_ingestion(warehouse, record, frame, rejected.iloc[:0], quarantined.iloc[:0])
        own = frame["headline_id"].tolist()
        save_split(warehouse, name, name, {"test": own[: len(test)], "train": own[len(test) :]}, {})
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


def test_a_person_looks_at_nothing(warehouse, add_study):
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


def test_looks_of_an_older_home_are_counted(tmp_path, monkeypatch):
    """Three judgements of three studies: the same headlines twice, then with as many new ones; and one by a person."""
    path, folder, views = tmp_path / "warehouse.duckdb", tmp_path / "migrations", tmp_path / "views.sql"
    folder.mkdir()
    for file in room.MIGRATIONS_FOLDER.glob("*.sql"):
        if int(file.name[:4]) < 14:
            shutil.copy(file, folder)
    views.write_text("")
    with monkeypatch.context() as older:
        older.setattr(room, "MIGRATIONS_FOLDER", folder)
        older.setattr(room, "VIEWS_FILES", [views])
        prepare_warehouse(path)
    with duckdb.connect(path) as connection:
        for name in IDS[:8]:
            connection.execute(
                "INSERT INTO headlines (headline_id, text, label, first_ingest_id) VALUES (?, 'x', 'neutral', 'i')",
                [name],
            )
        for number, (name, test) in enumerate({"one": IDS[:4], "two": IDS[:4], "three": IDS[:8]}.items()):
            for headline_id in test:
                connection.execute("INSERT INTO splits VALUES (?, ?, ?, 'test')", [name, name, headline_id])
                connection.execute(
                    "INSERT INTO snapshot_headlines (snapshot_id, headline_id, position, copies) VALUES (?, ?, 0, 1)",
                    [name, headline_id],
                )
            connection.execute(
                "INSERT INTO studies BY NAME SELECT $name AS study_id, 'desk' AS profile, $name AS snapshot_id,"
                " $name AS split_id, 'm' AS base_model, 's' AS source, false AS synthetic,"
                " '{\"promotion\": {\"level\": 0.1}}' AS config, [0.1] AS temperatures, 'all' AS decoding_id,"
                " 'finished' AS status, TIMESTAMP '2026-01-01' + to_days($day) AS started_at",
                {"name": name, "day": number},
            )
            connection.execute(
                "INSERT INTO champions BY NAME SELECT 'decision ' || $name AS champion_id, 'kept' AS decision,"
                " 'gate' AS decided_by, 'weak' AS reason, $name AS study_id, 'cell' AS cell_id, 0.1 AS temperature,"
                " TIMESTAMP '2026-01-01' + to_days($day) AS decided_at",
                {"name": name, "day": number},
            )
        connection.execute(
            "INSERT INTO champions BY NAME SELECT 'person' AS champion_id, 'promoted' AS decision,"
            " 'person' AS decided_by, 'x' AS reason, 'one' AS study_id, 'cell' AS cell_id, 0.1 AS temperature,"
            " 'cell' AS champion_cell_id, 0.1 AS champion_temperature, TIMESTAMP '2026-01-01 12:00:00' AS decided_at"
        )
    prepare_warehouse(path)
    rows = query(path, "SELECT number, study_id, look, promotion_level, evaluation_id FROM champions ORDER BY number")
    assert rows.rows == [
        (1, "one", 1, 0.1, "decision one"),
        (2, "one", None, None, None),
        (3, "two", 2, 0.1, "decision two"),
        (4, "three", 2, 0.1, "decision three"),
    ]
    assert query(path, "SELECT study_id, number FROM studies ORDER BY number").rows == [
        ("one", 1),
        ("two", 2),
        ("three", 3),
    ]
    assert load_standing(path, "three", "mine").looks == (Look(0.5, 0.1), Look(0.5, 0.1), Look(1, 0.1))

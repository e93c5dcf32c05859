"""The part that a text has, or had in earlier splits, is loaded."""

from storage.splits import load_earlier_parts, load_parts_of, save_split
from storage.warehouse import writing
from tests.storage.test_time_views import fill

SEED_42 = {"method": "hashed", "seed": 42}


def test_earlier_parts_are_those_of_hashed_splits_with_the_same_seed(data):
    first, second, third, last = (f"{number:016d}" for number in (0, 1, 2, 5))
    save_split(data, "later", "snapshot", {"validation": [first], "test": [last]}, SEED_42 | {"test_per_class": 9})
    save_split(data, "other", "snapshot", {"train": [second]}, SEED_42 | {"seed": 7})
    save_split(data, "study", "snapshot", {"test": [f"{4:016d}"]}, SEED_42 | {"method": "study"})
    earlier = load_earlier_parts(data, 42).set_index("text_id")
    assert len(earlier) == 6
    assert set(earlier.index[earlier["part"] == "test"]) == {first, second, third, last}
    assert earlier.loc[last, "text"] == "Sales of firm 0 rose ."
    assert load_earlier_parts(data, 7)["part"].tolist() == ["train"]
    assert load_earlier_parts(data, 1).empty


def test_a_text_that_a_study_had_in_no_part_or_with_two_labels_is_unplaced(data):
    [first, left] = (f"{number:016d}" for number in (0, 1))
    save_split(data, "own", "snapshot", {"test": [first]}, SEED_42)
    with writing(data) as connection:
        fill(connection, "sources", {"ingest_id": "'i'", "snapshot_id": "'snapshot'"})
        fill(connection, "sources", {"ingest_id": "'j'", "snapshot_id": "'another'"})
        for ingestion, text in (("i", "both"), ("j", "elsewhere")):
            row = {
                "ingest_id": f"'{ingestion}'",
                "text_id": f"'{text}'",
                "resolution": "'dropped'",
                "label": "'neutral'",
            }
            fill(connection, "quarantine", row)
    parts = load_parts_of(data, "own", [first, left, "both", "elsewhere", "new"])
    assert parts == {first: "test", left: "unplaced", "both": "unplaced"}
    assert load_parts_of(data, "nothing", [first]) == {}

"""The part that a text had in earlier splits is loaded."""

from storage.splits import load_earlier_parts, save_split

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

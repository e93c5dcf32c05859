"""The split that a source gives: test stays whole, copies leave the other parts, and what is missing is named."""

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from learning.study.given_split import count_moved, split_as_given
from learning.study.split import Member
from learning.study.split_sizes import SplitError
from schemas.split import SplitSettings

GIVEN = SplitSettings(method="given", train_per_class=300, test_per_class=300)
PRESENT = GIVEN.model_copy(update={"classes": "present"})
LABELS = ("negative", "neutral", "positive")
PARTS = ("train", "validation", "test")


def member(name: str, label: str, group: str | None = None) -> Member:
    return Member(name, label, name, group or name)


def whole() -> tuple[list[Member], dict[str, set[str]]]:
    """A headline of each label in each part."""
    members = [member(f"{part}-{label}", label) for part in PARTS for label in LABELS]
    return members, {each.headline_id: {each.headline_id.partition("-")[0]} for each in members}


def test_each_part_is_the_given_one_whatever_the_sizes() -> None:
    members, given = whole()
    parts = split_as_given(members, GIVEN, given)
    assert parts == {part: [f"{part}-{label}" for label in LABELS] for part in PARTS}
    assert count_moved(given, parts) == {}


def test_copies_and_near_copies_stay_in_test_and_then_in_train() -> None:
    members, given = whole()
    members += [member("both", "neutral"), member("near", "neutral", "test-neutral"), member("n", "neutral", "late")]
    members += [member("late", "neutral")]
    given |= {"both": {"test", "train"}, "near": {"train"}, "n": {"validation"}, "late": {"train"}}
    parts = split_as_given(members, GIVEN, given)
    assert parts["test"] == [*(f"test-{label}" for label in LABELS), "both"]
    assert parts["train"] == [*(f"train-{label}" for label in LABELS), "late"]
    assert parts["validation"] == [f"validation-{label}" for label in LABELS]
    assert count_moved(given, parts) == {"train": 2, "validation": 1}


@examples(
    st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from("abcdef"), st.sets(st.sampled_from(PARTS), min_size=1)))
)
def test_no_group_is_in_two_parts_and_test_loses_nothing(rows: list[tuple[str, str, set[str]]]) -> None:
    members, given = whole()
    members += [member(f"{number}", label, group) for number, (label, group, _) in enumerate(rows)]
    given |= {f"{number}": parts for number, (_, _, parts) in enumerate(rows)}
    parts = split_as_given(members, GIVEN, given)
    group_of = {each.headline_id: each.group_id for each in members}
    groups = [{group_of[headline] for headline in headlines} for headlines in parts.values()]
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert set(parts["test"]) == {headline for headline, its_parts in given.items() if "test" in its_parts}


def refuse(members: list[Member], given: dict[str, set[str]], settings: SplitSettings = GIVEN) -> str:
    with pytest.raises(SplitError) as caught:
        split_as_given(members, settings, given)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_missing_part_is_refused_in_one_line() -> None:
    members, given = whole()
    without = [each for each in members if not each.headline_id.startswith("validation")]
    kept = {each.headline_id: given[each.headline_id] for each in without}
    advice = "give rows that part, or set split.method=hashed, which draws all parts"
    reason = refuse(without, kept)
    assert f"the source has test and train and no validation; {advice}. Validation chooses the cell: a ten" in reason
    of_train = [each for each in members if each.headline_id.startswith("train")]
    reason = refuse(of_train, {each.headline_id: given[each.headline_id] for each in of_train})
    assert reason.endswith(f"the source has train and no validation and no test; {advice}")
    assert "the source gives no headline a part; set data.split_column" in refuse(members, {})
    assert "1 of 9 headlines are in no part" in refuse(members, given | {"test-neutral": set()})


def test_a_part_that_lacks_a_class_is_refused_in_one_line() -> None:
    members, given = whole()
    fewer = [each for each in members if each.headline_id != "validation-positive"]
    assert "validation has no positive headline" in refuse(fewer, given)
    assert "validation has no positive headline" in refuse(fewer, given, PRESENT)
    near = [member("test-neutral", "neutral", "x"), member("train-neutral", "neutral", "x")]
    rest = [each for each in members if each.headline_id not in {"test-neutral", "train-neutral"}]
    assert "train has no neutral headline once copies" in refuse([*rest, *near], given)


def test_two_classes_are_enough_if_the_setting_allows_it() -> None:
    members, given = whole()
    two = [each for each in members if each.label != "neutral"]
    assert "set split.classes=present for a study of negative and positive" in refuse(two, given)
    assert [len(headlines) for headlines in split_as_given(two, PRESENT, given).values()] == [2, 2, 2]

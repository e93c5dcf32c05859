"""Splits of growing snapshots and of near copies: no text or near copy of it is in train after test, or in both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.study.split import Member, count_leaks, split_headlines
from learning.study.split_sizes import SplitError
from tests.learning.study.splits import COUNTS, IDS, LABEL_OF, counts_by_label, settings, split


@given(st.sets(st.sampled_from(IDS[-30:])))
def test_headlines_that_arrive_later_bring_none_from_train_to_test(later: set[str]) -> None:
    before = split(settings("hashed"), [headline for headline in IDS if headline not in later])
    assert not set(before["train"]) & set(split(settings("hashed"))["test"])


@given(st.lists(st.sets(st.sampled_from(IDS)), max_size=5))
def test_a_test_headline_stays_in_test_and_none_moves_from_train_to_test(arrivals: list[set[str]]) -> None:
    """Snapshots that grow; each split receives the parts of the earlier ones."""
    held, earlier = set(IDS[:24]), {}
    for arrived in [set(), *arrivals]:
        held |= arrived
        parts = split(settings("hashed"), sorted(held), earlier)
        assert counts_by_label(parts["test"]) == dict.fromkeys(COUNTS, 3)
        assert counts_by_label(parts["train"]) == dict.fromkeys(COUNTS, 4)
        part_of = {headline: part for part, headlines in parts.items() for headline in headlines}
        assert part_of.keys() == held
        changed = {(part, part_of[headline]) for headline, part in earlier.items()}
        assert {("test", "test")} >= {change for change in changed if "test" in change}
        earlier |= part_of


@given(st.lists(st.sets(st.sampled_from(IDS), min_size=30), max_size=5))
def test_no_snapshot_of_other_headlines_leaks(snapshots: list[set[str]]) -> None:
    """Snapshots that overlap at random; one that cannot be split without a leak is refused."""
    tested: set[str] = set()
    seen: set[str] = set()
    for snapshot in snapshots:
        earlier = dict.fromkeys(seen, "train") | dict.fromkeys(tested, "test")
        try:
            parts = split(settings("hashed"), sorted(snapshot), earlier)
        except SplitError:
            continue
        assert tested & snapshot <= set(parts["test"])
        tested |= set(parts["test"])
        seen |= {*parts["train"], *parts["validation"]}
        assert not tested & seen


def test_all_earlier_test_headlines_stay_in_test_even_if_they_are_more_than_its_size() -> None:
    earlier = dict.fromkeys((headline for headline in IDS if headline.startswith("neutral-1")), "test")
    parts = split(settings("hashed"), earlier=earlier)
    assert {headline for headline in parts["test"] if headline.startswith("neutral")} == earlier.keys()
    assert counts_by_label(parts["train"]) == dict.fromkeys(COUNTS, 4)


def test_a_class_with_too_few_new_headlines_for_test_is_named() -> None:
    earlier = {headline: "train" for headline in IDS if headline.startswith("positive")} | {"positive-3": "test"}
    with pytest.raises(SplitError, match=r"test needs 3 positive headlines and can have 1, .*add 2 new ones"):
        split(settings("hashed"), earlier=earlier)


def test_the_study_split_ignores_earlier_ones() -> None:
    assert split(settings("study"), earlier=dict.fromkeys(IDS, "train")) == split(settings("study"))


groups_of_any_size = st.dictionaries(st.sampled_from(IDS), st.sampled_from("abcdefgh"), max_size=20)


def parts_of_groups(parts: dict[str, list[str]], groups: dict[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part, headlines in parts.items():
        for headline in headlines:
            found.setdefault(groups.get(headline, headline), set()).add(part)
    return found


@given(groups_of_any_size)
def test_no_group_of_near_copies_crosses_the_split(groups: dict[str, str]) -> None:
    try:
        parts = split(settings("hashed", train_per_class=2, test_per_class=2), groups=groups)
    except SplitError:
        return
    assert {len(found) for found in parts_of_groups(parts, groups).values()} == {1}
    assert counts_by_label(parts["train"]) == counts_by_label(parts["test"]) == dict.fromkeys(COUNTS, 2)


@given(st.lists(st.tuples(st.sets(st.sampled_from(IDS), min_size=35), groups_of_any_size), max_size=4))
def test_groups_that_merge_later_bring_no_near_copy_of_a_test_headline_to_train(
    snapshots: list[tuple[set[str], dict[str, str]]],
) -> None:
    tested: set[str] = set()
    learned: set[str] = set()
    for snapshot, groups in snapshots:
        earlier = dict.fromkeys(learned, "train") | dict.fromkeys(tested, "test")
        try:
            parts = split(settings("hashed", train_per_class=2), sorted(snapshot), earlier, groups)
        except SplitError:
            continue
        assert tested & snapshot <= set(parts["test"])
        assert not learned & set(parts["test"]) - tested
        assert {len(found) for found in parts_of_groups(parts, groups).values()} == {1}
        tested |= set(parts["test"])
        learned |= {*parts["train"], *parts["validation"]}


def test_a_corrected_label_does_not_bring_a_text_from_test_to_train() -> None:
    members = [Member(headline, LABEL_OF[headline], headline, headline) for headline in IDS]
    first = split_headlines(members, settings("hashed"))
    corrected = [
        Member(f"{member.headline_id} corrected", "neutral", member.text_id, member.group_id)
        if member.headline_id in first["test"]
        else member
        for member in members
    ]
    second = split_headlines(corrected, settings("hashed", test_per_class=1), dict.fromkeys(first["test"], "test"))
    assert {headline.removesuffix(" corrected") for headline in second["test"]} >= set(first["test"])


def test_near_copies_of_an_absent_test_headline_stay_out_of_train_and_validation() -> None:
    before = split(settings("hashed"))
    near = {headline: {"test"} for headline in before["train"][:2]}
    parts = split(settings("hashed"), near=near)
    assert not near.keys() & {*parts["train"], *parts["validation"]}
    assert counts_by_label(parts["train"]) == dict.fromkeys(COUNTS, 4)


def test_near_copies_of_what_was_learned_from_stay_out_of_test() -> None:
    near = {headline: {"train"} for headline in split(settings("hashed"))["test"][:5]}
    parts = split(settings("hashed"), near=near | {"neutral-0": {"train", "test"}})
    assert not near.keys() & set(parts["test"])
    assert not any("neutral-0" in headlines for headlines in parts.values())


def test_near_copies_beyond_the_size_of_a_part_do_not_count() -> None:
    groups = dict.fromkeys((headline for headline in IDS if headline.startswith("neutral")), "all alike")
    with pytest.raises(
        SplitError, match=r"neutral headlines are needed and 3 are there \(near copies of others aside; "
    ):
        split(settings("hashed"), groups=groups)


def test_leaks_are_test_headlines_with_a_near_copy_in_train() -> None:
    group_of = {"a": "1", "b": "1", "c": "2", "d": "3", "e": "3", "f": "1", "g": "2"}
    parts = {"train": ["a", "d"], "validation": ["c"], "test": ["b", "e", "f", "g"]}
    assert count_leaks(group_of, parts) == 3
    assert count_leaks(group_of, parts | {"train": ["d"]}) == 1
    assert count_leaks(group_of, parts | {"train": []}) == 0

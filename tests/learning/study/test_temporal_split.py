"""The split by time: which headlines are in which part, and that later headlines do not affect what is learned."""

from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.study.split import Member
from learning.study.split_sizes import SplitError
from learning.study.temporal_split import find_starts, split_by_time
from schemas.split import SplitSettings

START = datetime.fromisoformat("2025-01-01")
SIZES = {"train_per_class": 1, "test_per_class": 1}


def settings(**values) -> SplitSettings:
    return SplitSettings(method="temporal", classes="present", **SIZES, **values)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def some(count: int, groups=None) -> tuple[list[Member], dict[str, datetime]]:
    """Headlines, one a day, with labels in turn, each in its own group unless groups are given."""
    members = [
        Member(
            f"{number:03}", ("negative", "positive")[number % 2], f"{number}", (groups or {}).get(number, f"g{number}")
        )
        for number in range(count)
    ]
    return members, {member.headline_id: day(number) for number, member in enumerate(members)}


def by_group(members):
    group_of = {member.headline_id: member.group_id for member in members}
    return lambda ids: [hash(group_of[each]) for each in ids]


def numbers(parts) -> dict[str, list[int]]:
    return {part: [int(headline) for headline in headlines] for part, headlines in parts.items()}


def test_dates_or_shares_decide_where_parts_begin():
    members, times = some(20)
    [by_share] = split_by_time(members, settings(), times, by_group(members))
    assert numbers(by_share) == {"train": [*range(14)], "validation": [14, 15], "test": [*range(16, 20)]}
    [backwards] = split_by_time(members[::-1], settings(), times, by_group(members))
    assert {part: ids[::-1] for part, ids in backwards.items()} == by_share
    dated = settings(validation_from=day(8), test_from=day(12))
    [by_date] = split_by_time(members, dated, times, by_group(members))
    assert numbers(by_date) == {"train": [*range(8)], "validation": [*range(8, 12)], "test": [*range(12, 20)]}


def test_headlines_of_one_time_are_in_one_part_and_those_without_a_time_in_none():
    members, times = some(20)
    times |= {"015": day(16), "014": day(16), "013": day(16)}
    del times["000"], times["019"]
    [parts] = split_by_time(members, settings(), times, by_group(members))
    assert numbers(parts) == {"train": [*range(1, 11)], "validation": [11, 12], "test": [*range(13, 19)]}


def test_of_few_headlines_validation_and_test_have_at_least_one_each():
    times = [day(number) for number in range(4)]
    assert find_starts(times, settings(test_share=1e-17, validation_share=0.01)) == [day(2), day(3)]


def test_a_class_without_a_dated_headline_is_not_needed():
    members, times = some(20)
    undated = Member("020", "neutral", "20", "g20")
    [parts] = split_by_time([*members, undated], settings(), times, by_group([*members, undated]))
    assert [*numbers(parts)["train"], *numbers(parts)["validation"], *numbers(parts)["test"]] == [*range(20)]


def test_a_near_copy_of_an_earlier_headline_is_in_no_later_part():
    members, times = some(20, {3: "a", 15: "a", 14: "b", 18: "b", 16: "c", 19: "c", 1: "d", 2: "d"})
    [parts] = split_by_time(members, settings(test_share=0.3), times, by_group(members))
    assert numbers(parts) == {"train": [*range(12)], "validation": [12, 13], "test": [14, 16, 17, 18, 19]}
    [parts] = split_by_time(members, settings(validation_share=0.2), times, by_group(members))
    assert numbers(parts) == {"train": [*range(12)], "validation": [12, 13, 14], "test": [16, 17, 19]}


def test_windows_walk_forward_and_choose_on_the_stretch_before():
    members, times = some(30)
    first, second, third = split_by_time(members, settings(windows=3, test_share=0.4), times, by_group(members))
    assert numbers(first) == {"train": [*range(15)], "validation": [15, 16, 17], "test": [18, 19, 20, 21]}
    assert numbers(second) == {"train": [*range(18)], "validation": [18, 19, 20, 21], "test": [22, 23, 24, 25]}
    assert numbers(third) == {"train": [*range(22)], "validation": [22, 23, 24, 25], "test": [26, 27, 28, 29]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"test_from": day(40)}, "published from 2025-01-01 to 2025-01-20 UTC.*would begin at 2025-01-19, 2025-02-10"),
        ({"validation_from": day(0), "test_from": day(9)}, "which leaves a part empty"),
        ({"validation_from": day(9), "test_from": day(9)}, "which leaves a part empty"),
        ({"windows": 9}, "fewer split.windows"),
        (
            {"validation_from": day(18), "test_from": day(19)},
            "validation has no positive headline, test has no negative headline that is no near copy of .* one: set",
        ),
        ({"windows": 2, "test_share": 0.1}, r"test has no positive headline .* one \(in window 1 of 2\): set"),
    ],
)
def test_a_part_without_headlines_or_without_a_class_is_refused(values, message):
    members, times = some(20)
    with pytest.raises(SplitError, match=message):
        split_by_time(members, settings(**values), times, by_group(members))


def test_a_source_without_dates_is_refused_with_the_option():
    members, _ = some(20)
    with pytest.raises(SplitError, match=r"no headline has a date.*--published-at-column NAME"):
        split_by_time(members, settings(), {}, by_group(members))


def test_parts_begin_in_order_also_with_many_windows():
    times = [day(number) for number in range(100)]
    starts = find_starts(times, settings(windows=5))
    assert starts == [day(70), day(80), day(84), day(88), day(92), day(96)]


@given(st.integers(0, 10**6), st.integers(2, 4))
def test_later_headlines_have_no_effect_on_what_is_learned_and_chosen(seed, windows):
    """Labels and groups after the beginning of a window are permuted: its train and validation parts stay the same."""
    random = Random(seed)
    groups = {number: f"g{random.randrange(40)}" for number in range(60)}
    members, times = some(60, groups)
    split = settings(windows=windows, test_share=0.5)
    try:
        before = split_by_time(members, split, times, by_group(members))
    except SplitError:
        return
    window = random.randrange(windows)
    begins = find_starts(sorted(times.values()), split)[window + 1]
    past = [member for member in members if times[member.headline_id] < begins]
    later = [member for member in members if times[member.headline_id] >= begins]
    shuffled = random.sample(later, len(later))
    mixed = [
        Member(member.headline_id, other.label, other.text_id, other.group_id)
        for member, other in zip(later, shuffled, strict=True)
    ]
    # a later text may join groups that were separate
    tied = {"g1": "g0", "g3": "g2"} if random.random() < 0.5 else {}
    changed = [member._replace(group_id=tied.get(member.group_id, member.group_id)) for member in [*past, *mixed]]
    try:
        after = split_by_time(changed, split, times, by_group([*past, *mixed]))
    except SplitError:
        return
    for part in ("train", "validation"):
        assert after[window][part] == before[window][part]

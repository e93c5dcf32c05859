"""The split: right sizes, no headline in two parts, hashed without regard to order, or the study's own."""

import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from learning.study.split import Member, count_leaks, split_headlines
from learning.study.split_sizes import SplitError
from schemas.label import LABELS
from schemas.split import SplitSettings

COUNTS = {"negative": 9, "neutral": 30, "positive": 15}
LABEL_OF = {f"{label}-{number}": label for label, count in COUNTS.items() for number in range(count)}
IDS = sorted(LABEL_OF, key=lambda headline: (int(headline.partition("-")[2]), headline))
BOTH_METHODS = pytest.mark.parametrize("method", ["hashed", "study"])


def settings(method: str, **changes: int | str) -> SplitSettings:
    return SplitSettings.model_validate({"method": method, "train_per_class": 4, "test_per_class": 3} | changes)


def split(
    split_settings: SplitSettings,
    ids: list[str] = IDS,
    earlier: dict[str, str] | None = None,
    groups: dict[str, str] | None = None,
    near: dict[str, set[str]] | None = None,
) -> dict[str, list[str]]:
    """Headlines each with a text of its own, and alone in a group unless `groups` says otherwise."""
    members = [
        Member(headline, LABEL_OF[headline], headline, (groups or {}).get(headline, headline)) for headline in ids
    ]
    return split_headlines(members, split_settings, earlier, near)


def counts_by_label(ids: list[str]) -> dict[str, int]:
    return {label: sum(LABEL_OF[headline] == label for headline in ids) for label in COUNTS}


@BOTH_METHODS
def test_every_class_fills_its_places_and_the_rest_is_validation(method: str) -> None:
    parts = split(settings(method))
    assert counts_by_label(parts["train"]) == dict.fromkeys(COUNTS, 4)
    assert counts_by_label(parts["test"]) == dict.fromkeys(COUNTS, 3)
    assert counts_by_label(parts["validation"]) == {label: count - 7 for label, count in COUNTS.items()}


@BOTH_METHODS
def test_no_headline_stands_twice_and_none_is_lost(method: str) -> None:
    parts = split(settings(method))
    assert sorted(headline for part in parts.values() for headline in part) == sorted(IDS)


@BOTH_METHODS
@pytest.mark.parametrize("most", [1, 2, 5, 100])
def test_validation_per_class_is_an_upper_bound(method: str, most: int) -> None:
    parts, whole = split(settings(method, validation_per_class=most)), split(settings(method))
    expected = {label: min(most, count - 7) for label, count in COUNTS.items()}
    assert counts_by_label(parts["validation"]) == expected
    assert set(parts["validation"]) <= set(whole["validation"])
    assert (parts["train"], parts["test"]) == (whole["train"], whole["test"])


@BOTH_METHODS
def test_the_seed_decides(method: str) -> None:
    assert split(settings(method)) == split(settings(method))
    assert split(settings(method, seed=1))["test"] != split(settings(method))["test"]


@given(st.permutations(IDS))
def test_the_hashed_split_depends_on_no_order(ids: list[str]) -> None:
    assert split(settings("hashed"), ids) == split(settings("hashed"))


@given(st.sets(st.sampled_from(IDS[-30:])))
def test_headlines_that_arrive_later_bring_none_from_train_to_test(later: set[str]) -> None:
    before = split(settings("hashed"), [headline for headline in IDS if headline not in later])
    assert not set(before["train"]) & set(split(settings("hashed"))["test"])


@given(st.lists(st.sets(st.sampled_from(IDS)), max_size=5))
def test_once_in_test_always_in_test_and_never_from_train_to_test(arrivals: list[set[str]]) -> None:
    """Snapshots that grow, each split with what the ones before it left."""
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
    """Snapshots that overlap as it comes; what cannot be split without a leak is refused."""
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


def test_all_that_were_in_test_stay_though_they_are_more_than_asked() -> None:
    earlier = dict.fromkeys((headline for headline in IDS if headline.startswith("neutral-1")), "test")
    parts = split(settings("hashed"), earlier=earlier)
    assert {headline for headline in parts["test"] if headline.startswith("neutral")} == earlier.keys()
    assert counts_by_label(parts["train"]) == dict.fromkeys(COUNTS, 4)


def test_a_class_with_too_few_new_headlines_for_test_is_named() -> None:
    earlier = {headline: "train" for headline in IDS if headline.startswith("positive")} | {"positive-3": "test"}
    with pytest.raises(SplitError, match=r"test needs 3 positive headlines and can have 1, .*add 2 new ones"):
        split(settings("hashed"), earlier=earlier)


def test_the_study_split_heeds_no_earlier_one() -> None:
    assert split(settings("study"), earlier=dict.fromkeys(IDS, "train")) == split(settings("study"))


def study_parts(frame: pd.DataFrame, train: int, test: int) -> dict[str, list[int]]:
    """The study's own code: scikit-learn on the frame of each class; rows by their index."""
    parts: dict[str, list[int]] = {"train": [], "test": [], "validation": []}
    for label in LABELS:
        own = frame[frame["label"] == label]
        chosen = train_test_split(own, train_size=train, test_size=test, random_state=42)
        parts["train"] += chosen[0].index.tolist()
        parts["test"] += chosen[1].index.tolist()
        parts["validation"] += own.index.difference(chosen[0].index.union(chosen[1].index)).tolist()
    return parts


def test_the_study_split_is_scikit_learns_headline_for_headline() -> None:
    frame = pd.DataFrame({"headline": IDS, "label": [LABEL_OF[headline] for headline in IDS]})
    expected = {part: [IDS[row] for row in rows] for part, rows in study_parts(frame, 4, 3).items()}
    assert split(settings("study")) == expected


def test_the_study_split_of_the_phrasebank_is_the_studys(fpb_folder: Path) -> None:
    with zipfile.ZipFile(fpb_folder / "FinancialPhraseBank-v1.0.zip") as archive:
        member = next(name for name in archive.namelist() if name.endswith("/Sentences_50Agree.txt"))
        labels = [line.rpartition("@")[2] for line in archive.read(member).decode("iso-8859-1").splitlines()]
    frame = pd.DataFrame({"label": labels})
    members = [Member(str(row), label, str(row), "one group") for row, label in enumerate(labels)]
    parts = split_headlines(members, settings("study", train_per_class=300, test_per_class=300))
    assert {part: [int(row) for row in rows] for part, rows in parts.items()} == study_parts(frame, 300, 300)
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 900, "test": 900, "validation": 3_046}


@BOTH_METHODS
def test_one_headline_over_the_two_parts_is_enough(method: str) -> None:
    parts = split(settings(method, train_per_class=5, test_per_class=3))
    assert counts_by_label(parts["validation"])["negative"] == 1


@BOTH_METHODS
def test_too_few_headlines_are_named_with_how_many_are_missing(method: str) -> None:
    with pytest.raises(SplitError) as caught:
        split(settings(method, train_per_class=10, test_per_class=3))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message == (
        "split: 14 negative headlines are needed and 9 are there (copies aside; 10 train, 3 test, one or more for "
        "validation): add headlines, or use --set split.train_per_class=6 --set split.test_per_class=2"
    )
    parts = split(settings(method, train_per_class=6, test_per_class=2))
    assert counts_by_label(parts["validation"])["negative"] == 1


@BOTH_METHODS
def test_every_class_that_is_short_is_named(method: str) -> None:
    with pytest.raises(SplitError) as caught:
        split(settings(method, train_per_class=20, test_per_class=20))
    assert str(caught.value).startswith(
        "split: 41 negative headlines are needed and 9 are there, 41 neutral and 30, 41 positive and 15 (copies aside; "
    )
    assert str(caught.value).endswith(
        ": add headlines, or use --set split.train_per_class=4 --set split.test_per_class=4"
    )
    natural = settings(method, balance="natural", train_per_class=20, test_per_class=20)
    with pytest.raises(
        SplitError, match=r"(\d+) negative .*, (\d+) neutral .*, (\d+) positive .*split.train_per_class=(\d+)"
    ):
        split(natural)


def test_sizes_that_are_suggested_fit_near_copies_too() -> None:
    groups = {headline: f"{label}-{int(number) // 2}" for headline in IDS for label, number in [headline.split("-")]}
    with pytest.raises(SplitError) as caught:
        split(settings("hashed", train_per_class=9, test_per_class=9), groups=groups)
    sizes = dict(re.findall(r"split.(\w+)=(\d+)", str(caught.value)))
    parts = split(settings("hashed", **{name: int(size) for name, size in sizes.items()}), groups=groups)
    assert counts_by_label(parts["train"]) == dict.fromkeys(COUNTS, int(sizes["train_per_class"]))


def test_no_sizes_are_suggested_where_none_fit() -> None:
    with pytest.raises(SplitError, match=r"validation\): add headlines$"):
        split(settings("study"), [f"{label}-{number}" for label in COUNTS for number in range(2)])


TWO = [headline for headline in IDS if not headline.startswith("neutral")]


@BOTH_METHODS
def test_a_class_without_headlines_is_named_with_the_setting_that_does_without_it(method: str) -> None:
    with pytest.raises(SplitError) as caught:
        split(settings(method), TWO)
    assert str(caught.value) == (
        "split: the source has no neutral headline, and all three labels are required: add some, or set "
        "split.classes=present for a study of negative and positive alone"
    )


@BOTH_METHODS
@pytest.mark.parametrize("balance", ["balanced", "natural"])
def test_the_classes_that_are_present_are_split_as_if_there_were_no_other(method: str, balance: str) -> None:
    parts = split(settings(method, classes="present", balance=balance), TWO)
    there = {part: {label: n for label, n in counts_by_label(ids).items() if n} for part, ids in parts.items()}
    train, test = {"balanced": ((4, 4), (3, 3)), "natural": ((3, 5), (2, 4))}[balance]
    assert there["train"] == dict(zip(("negative", "positive"), train, strict=True))
    assert there["test"] == dict(zip(("negative", "positive"), test, strict=True))
    assert sorted(headline for ids in parts.values() for headline in ids) == sorted(TWO)


@BOTH_METHODS
def test_where_all_classes_are_present_both_settings_split_alike(method: str) -> None:
    assert split(settings(method, classes="present")) == split(settings(method))


def test_one_class_is_no_study() -> None:
    with pytest.raises(SplitError, match="has no neutral and no positive headline, and a study compares two labels"):
        split(settings("hashed", classes="present"), [headline for headline in IDS if headline.startswith("negative")])


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
    assert {len(own) for own in parts_of_groups(parts, groups).values()} == {1}
    assert counts_by_label(parts["train"]) == counts_by_label(parts["test"]) == dict.fromkeys(COUNTS, 2)


@given(st.lists(st.tuples(st.sets(st.sampled_from(IDS), min_size=35), groups_of_any_size), max_size=4))
def test_groups_that_grow_together_later_bring_nothing_near_a_test_headline_to_train(
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
        assert {len(own) for own in parts_of_groups(parts, groups).values()} == {1}
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


def test_near_copies_of_a_test_headline_that_is_not_there_stay_out_of_train_and_validation() -> None:
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


def test_near_copies_beyond_what_a_part_needs_are_in_none() -> None:
    groups = dict.fromkeys((headline for headline in IDS if headline.startswith("neutral")), "all alike")
    with pytest.raises(
        SplitError, match=r"neutral headlines are needed and 3 are there \(near copies of others aside; "
    ):
        split(settings("hashed"), groups=groups)


@BOTH_METHODS
def test_natural_sizes_follow_the_source(method: str) -> None:
    parts = split(settings(method, balance="natural", train_per_class=6, test_per_class=3))
    assert counts_by_label(parts["train"]) == {"negative": 3, "neutral": 10, "positive": 5}
    assert counts_by_label(parts["test"]) == {"negative": 2, "neutral": 5, "positive": 2}
    assert sum(map(len, parts.values())) == len(IDS)


def test_leaks_are_test_headlines_with_a_near_copy_in_train() -> None:
    group_of = {"a": "1", "b": "1", "c": "2", "d": "3", "e": "3", "f": "1", "g": "2"}
    parts = {"train": ["a", "d"], "validation": ["c"], "test": ["b", "e", "f", "g"]}
    assert count_leaks(group_of, parts) == 3
    assert count_leaks(group_of, parts | {"train": ["d"]}) == 1
    assert count_leaks(group_of, parts | {"train": []}) == 0

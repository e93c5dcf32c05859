"""The split: right sizes, no headline in two parts, hashed without regard to order, or the study's own."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from learning.split import SplitError, split_headlines
from schemas.config import SplitSettings
from schemas.label import LABELS

COUNTS = {"negative": 9, "neutral": 30, "positive": 15}
LABEL_OF = {f"{label}-{number}": label for label, count in COUNTS.items() for number in range(count)}
IDS = sorted(LABEL_OF, key=lambda headline: (int(headline.partition("-")[2]), headline))
BOTH_METHODS = pytest.mark.parametrize("method", ["hashed", "study"])


def settings(method: str, **changes: int) -> SplitSettings:
    return SplitSettings.model_validate({"method": method, "train_per_class": 4, "test_per_class": 3} | changes)


def split(
    split_settings: SplitSettings, ids: list[str] = IDS, earlier: dict[str, str] | None = None
) -> dict[str, list[str]]:
    return split_headlines(ids, [LABEL_OF[headline] for headline in ids], split_settings, earlier)


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
    with pytest.raises(SplitError, match=r"3 positive headlines are needed in test and 1 can be there.*add 2 new ones"):
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
    parts = split_headlines(
        [str(row) for row in frame.index], labels, settings("study", train_per_class=300, test_per_class=300)
    )
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
    assert message.startswith("split: 14 negative headlines are needed (10 train, 3 test, one or more for validation)")
    assert "the source has 9: add 5, or lower split.train_per_class" in message


def test_a_class_without_headlines_is_named() -> None:
    with pytest.raises(SplitError, match=r"8 positive headlines are needed .* the source has 0: add 8"):
        split(settings("hashed"), [headline for headline in IDS if not headline.startswith("positive")])

"""The split: right sizes, no headline in two parts, and a study split that is scikit-learn's."""

import re
import zipfile
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from learning.study.split import Member, split_headlines
from learning.study.split_sizes import SplitError, iterate_smaller
from schemas.label import LABELS
from tests.learning.study.splits import BOTH_METHODS, COUNTS, IDS, LABEL_OF, counts_by_label, settings, split


@BOTH_METHODS
def test_every_class_fills_its_places_and_the_rest_is_validation(method: str) -> None:
    parts = split(settings(method))
    assert counts_by_label(parts["train"]) == dict.fromkeys(COUNTS, 4)
    assert counts_by_label(parts["test"]) == dict.fromkeys(COUNTS, 3)
    assert counts_by_label(parts["validation"]) == {label: count - 7 for label, count in COUNTS.items()}


@BOTH_METHODS
def test_no_headline_is_in_two_parts_and_none_is_lost(method: str) -> None:
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
def test_the_hashed_split_does_not_depend_on_the_order(ids: list[str]) -> None:
    assert split(settings("hashed"), ids) == split(settings("hashed"))


def study_parts(frame: pd.DataFrame, train: int, test: int) -> dict[str, list[int]]:
    """The code of the study: scikit-learn on the frame of each class; rows by their index."""
    parts: dict[str, list[int]] = {"train": [], "test": [], "validation": []}
    for label in LABELS:
        rows = frame[frame["label"] == label]
        chosen = train_test_split(rows, train_size=train, test_size=test, random_state=42)
        parts["train"] += chosen[0].index.tolist()
        parts["test"] += chosen[1].index.tolist()
        parts["validation"] += rows.index.difference(chosen[0].index.union(chosen[1].index)).tolist()
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
def test_one_headline_left_for_validation_is_enough(method: str) -> None:
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


@pytest.mark.parametrize(
    ("negative", "train", "test", "tried"),
    [
        (
            1_000,
            300,
            150,
            [(299, 150), (239, 120), (191, 96), (153, 76)],
        ),  # they do not fit for another reason, such as near copies
        (100, 200, 100, [(60, 30), (48, 24), (38, 19), (30, 15)]),
        (5, 3, 3, [(2, 2), (2, 1), (1, 1)]),  # no more
        (643, 100_000, 60, [(515, 60), (400, 60), (308, 60), (234, 60)]),
        (100, 100_000, 60, [(60, 30), (48, 24), (38, 19), (30, 15)]),
        (100, 1, 60, [(1, 59), (1, 47), (1, 37)]),
        (422, 420, 60, [(318, 60), (242, 60), (181, 60), (132, 60)]),
    ],
)
def test_smaller_sizes_keep_test_or_their_proportion_and_a_tenth_for_validation(
    negative: int, train: int, test: int, tried: list[tuple[int, int]]
) -> None:
    available = {"negative": negative, "neutral": 1_000, "positive": 1_000}
    smaller = iterate_smaller(available, settings("study", train_per_class=train, test_per_class=test))
    assert [(sizes.train_per_class, sizes.test_per_class) for sizes in islice(smaller, 4)] == tried


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
    counts = {part: {label: n for label, n in counts_by_label(ids).items() if n} for part, ids in parts.items()}
    train, test = {"balanced": ((4, 4), (3, 3)), "natural": ((3, 5), (2, 4))}[balance]
    assert counts["train"] == dict(zip(("negative", "positive"), train, strict=True))
    assert counts["test"] == dict(zip(("negative", "positive"), test, strict=True))
    assert sorted(headline for ids in parts.values() for headline in ids) == sorted(TWO)


@BOTH_METHODS
def test_if_all_classes_are_present_both_settings_give_the_same_split(method: str) -> None:
    assert split(settings(method, classes="present")) == split(settings(method))


def test_one_class_is_no_study() -> None:
    with pytest.raises(SplitError, match="has no neutral and no positive headline, and a study compares two labels"):
        split(settings("hashed", classes="present"), [headline for headline in IDS if headline.startswith("negative")])


@BOTH_METHODS
def test_each_part_has_a_headline_of_a_label_that_is_rarer_than_its_share(method: str) -> None:
    few = [
        name for name in IDS if not name.startswith("negative") or name in {"negative-0", "negative-1", "negative-2"}
    ]
    parts = split(settings(method, balance="natural", train_per_class=1, test_per_class=1), few)
    assert (
        counts_by_label(parts["train"])
        == counts_by_label(parts["test"])
        == {"negative": 1, "neutral": 2, "positive": 1}
    )


@BOTH_METHODS
def test_natural_sizes_follow_the_source(method: str) -> None:
    parts = split(settings(method, balance="natural", train_per_class=6, test_per_class=3))
    assert counts_by_label(parts["train"]) == {"negative": 3, "neutral": 10, "positive": 5}
    assert counts_by_label(parts["test"]) == {"negative": 2, "neutral": 5, "positive": 2}
    assert sum(map(len, parts.values())) == len(IDS)

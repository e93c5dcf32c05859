"""Folds: every headline in test once, near copies together, labels in proportion, whatever the order of the source."""

import re
from collections import Counter
from random import Random

import pytest
from pydantic import ValidationError

from learning.study.folds import draw_folds
from learning.study.identity import fold_split_id, split_id
from learning.study.split import Member, Parts, count_leaks
from learning.study.split_sizes import SplitError
from schemas.split import SplitSettings

COUNTS = {"negative": 25, "neutral": 60, "positive": 40}
MEMBERS = [
    Member(f"{label}-{number}", label, f"{label}-{number}", f"{label}-group-{number // 3 if number < 12 else number}")
    for label, count in COUNTS.items()
    for number in range(count)
]
GROUP_OF = {member.headline_id: member.group_id for member in MEMBERS}
LABEL_OF = {member.headline_id: member.label for member in MEMBERS}


def settings(**changes: object) -> SplitSettings:
    given = {"method": "hashed", "train_per_class": 8, "test_per_class": 3, "validation_per_class": 2, "folds": 5}
    return SplitSettings.model_validate(given | changes)


def draw(members: list[Member] = MEMBERS, **changes: object) -> list[Parts]:
    split = settings(**changes)
    assert split.folds
    return draw_folds(members, split, split.folds)


@pytest.mark.parametrize("folds", [2, 3, 5])
def test_every_headline_is_in_test_once_and_in_validation_at_most_once(folds: int) -> None:
    drawn = draw(folds=folds, train_per_class=5)
    assert sorted(headline for parts in drawn for headline in parts["test"]) == sorted(LABEL_OF)
    chosen = Counter(headline for parts in drawn for headline in parts["validation"])
    assert set(chosen.values()) == {1}


@pytest.mark.parametrize("folds", [2, 5])
def test_no_group_of_near_copies_is_in_two_parts_of_a_fold(folds: int) -> None:
    for parts in draw(folds=folds, train_per_class=5):
        groups = [{GROUP_OF[headline] for headline in part} for part in parts.values()]
        assert sum(map(len, groups)) == len(set.union(*groups))
        assert count_leaks(GROUP_OF, parts) == 0


def test_parts_have_their_sizes_and_test_parts_have_the_labels_in_proportion() -> None:
    for parts in draw():
        counts = {part: Counter(LABEL_OF[headline] for headline in headlines) for part, headlines in parts.items()}
        assert counts["train"] == dict.fromkeys(COUNTS, 8)
        assert counts["validation"] == dict.fromkeys(COUNTS, 2)
        assert all(abs(counts["test"][label] - count / 5) <= 2 for label, count in COUNTS.items())


def test_the_order_of_the_source_has_no_effect_and_the_seed_has() -> None:
    shuffled = Random(3).sample(MEMBERS, len(MEMBERS))
    assert draw(shuffled) == draw()
    assert draw(seed=7) != draw()


def test_more_folds_than_a_class_has_groups_are_refused() -> None:
    message = re.escape(
        "split.folds 20: each class needs as many groups of near copies, and negative has 17: add headlines, or use "
        "--set split.folds=17"
    )
    with pytest.raises(SplitError, match=f"^{message}$"):
        draw(folds=20)


@pytest.mark.parametrize(("kept", "remedy"), [(3, ", or use --set split.folds=3"), (2, ""), (1, "")])
def test_the_folds_that_are_suggested_fit_the_smallest_class(kept: int, remedy: str) -> None:
    few = [member for member in MEMBERS if member.label != "neutral"]
    few += [
        member for member in MEMBERS if member.label == "neutral" and int(member.group_id.split("-")[-1]) >= 60 - kept
    ]
    counted = f"negative has 17, neutral has {kept}"
    message = re.escape(
        f"split.folds 20: each class needs as many groups of near copies, and {counted}: add headlines{remedy}"
    )
    with pytest.raises(SplitError, match=f"^{message}$"):
        draw(few, folds=20)


def test_a_train_part_that_the_other_folds_cannot_fill_is_refused_with_a_size_that_fits() -> None:
    with pytest.raises(
        SplitError, match=r"30 train, \d test, .*add headlines, or use --set split\.train_per_class=\d+ "
    ) as error:
        draw(train_per_class=30)
    assert "test_per_class" not in str(error.value)
    size = int(str(error.value).partition("split.train_per_class=")[2].split()[0])
    assert draw(train_per_class=size)


def test_a_given_split_has_no_folds() -> None:
    with pytest.raises(ValidationError, match=r"split\.method=given has the source's own"):
        settings(method="given")
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        settings(folds=1)


def test_settings_without_effect_on_folds_change_no_id_and_a_split_without_folds_keeps_its_id() -> None:
    folded = split_id("snapshot", settings())
    assert folded == split_id("snapshot", settings(method="study", test_per_class=9))
    assert folded != split_id("snapshot", settings(folds=4))
    without = settings(folds=None)
    assert split_id("snapshot", without) != split_id("snapshot", settings(folds=None, test_per_class=9))
    first = {name: value for name, value in without.model_dump().items() if name not in {"folds", "classes"}}
    assert split_id("snapshot", without) == split_id("snapshot", SplitSettings.model_validate(first))
    assert len({folded, *(fold_split_id(folded, fold) for fold in range(1, 6))}) == 6

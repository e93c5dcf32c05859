"""The split: which headline trains, which chooses, which judges."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from learning.study.split_sizes import (
    ShortageError,
    Sizes,
    SplitError,
    check_supply,
    find_sizes,
    iterate_smaller,
)
from schemas.split import SplitSettings

Parts = dict[str, list[str]]
NearParts = Mapping[str, Collection[str]]
"""For a group, the parts that earlier splits gave to texts near it that are not there themselves."""


class Member(NamedTuple):
    """A headline as the split sees it: its text whatever the label, and the copies and near copies that it is among."""

    headline_id: str
    label: str
    text_id: str
    group_id: str


def split_headlines(
    members: Sequence[Member],
    split: SplitSettings,
    earlier: Mapping[str, str] | None = None,
    near: NearParts | None = None,
) -> Parts:
    """Assign headlines to train, validation and test, class by class.

    The method `hashed` draws groups, by a seeded hash, so that neither order nor file format matters and no group of
    near copies is in two parts; headlines of a group beyond what its part needs are in none. What was in test in an
    earlier split stays in test, all of it, and nothing near it enters train or validation; what was in train or
    validation, or is near it, never enters test. The method `study` heeds neither groups nor earlier splits: it is
    scikit-learn's draw on each class, and nothing else.

    Args:
        members: N headlines, in the order of the source.
        split: How many of each class, and how they are drawn: `hashed` or `study`.
        earlier: The part that each text had in earlier splits with this seed; more texts do no harm.
        near: The parts that earlier splits gave to texts near a group that are not among the members.

    Returns:
        Ids by part: `train`, `validation`, `test`. None is in two parts.

    Raises:
        SplitError: Classes have no or too few headlines; the message names them all, and sizes that would fit.
    """
    try:
        return _split(members, split, earlier or {}, near or {})
    except ShortageError as error:
        raise SplitError(error.explain(_find_fitting(members, split, earlier or {}, near or {}))) from error


def _split(members: Sequence[Member], split: SplitSettings, earlier: Mapping[str, str], near: NearParts) -> Parts:
    available = Counter(member.label for member in members)
    sizes = find_sizes(available, split)
    aside = "copies" if len({(member.text_id, member.label) for member in members}) == len(members) else ""
    check_supply(available, sizes, sizes.test, aside)
    if split.method == "study":
        return _split_like_study(members, sizes, split.seed)
    return _Draw(members, sizes, split.seed, earlier, near).draw()


def _find_fitting(
    members: Sequence[Member], split: SplitSettings, earlier: Mapping[str, str], near: NearParts
) -> SplitSettings | None:
    """The settings with the largest sizes, of those that are tried, that the headlines fill; None if there are none."""
    for smaller in iterate_smaller(Counter(member.label for member in members), split):
        with suppress(SplitError):
            _split(members, smaller, earlier, near)
            return smaller
    return None


def count_leaks(group_of: Mapping[str, str], parts: Parts) -> int:
    """Test headlines of which a copy or near copy is in train.

    Args:
        group_of: Ids of headlines to the group of near copies that each is in.
        parts: Ids by part.
    """
    learned = {group_of[headline_id] for headline_id in parts["train"]}
    return sum(group_of[headline_id] in learned for headline_id in parts["test"])


def fill_part(
    chosen: list[Member], groups: Iterable[tuple[str, Sequence[Member]]], sizes: Mapping[str, int] | None
) -> set[str]:
    """Fill a part group by group until each label has its number, or with all groups when there is none.

    Args:
        chosen: The headlines of the part, to which others are added.
        groups: Each group and its headlines, in the order in which they are taken.
        sizes: How many headlines of each label the part may have.

    Returns:
        The groups of which a headline was added.
    """
    have, taken = Counter(member.label for member in chosen), {member.headline_id for member in chosen}
    drawn = set[str]()
    for group, members in groups:
        if sizes is not None and all(have[label] >= size for label, size in sizes.items()):
            break
        for member in members:
            if member.headline_id not in taken and (sizes is None or have[member.label] < sizes[member.label]):
                chosen.append(member)
                have[member.label] += 1
                drawn.add(group)
    return drawn


def order_groups(members: Iterable[Member], seed: int) -> dict[str, list[Member]]:
    """The headlines by their groups, which are in the order of a seeded hash, whatever the order of the source."""
    groups: dict[str, list[Member]] = {}
    for member in sorted(members):
        groups.setdefault(member.group_id, []).append(member)
    order = sorted(groups, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
    return {group: groups[group] for group in order}


class _Draw:
    """The method `hashed`, step by step: what stays in test, then test, train and validation, group by group."""

    def __init__(
        self,
        members: Sequence[Member],
        sizes: Sizes,
        seed: int,
        earlier: Mapping[str, str],
        near: NearParts,
    ) -> None:
        self.sizes, self.earlier, self.near = sizes, earlier, near
        self.groups = order_groups(members, seed)
        self.order = list(self.groups)
        self.parts: dict[str, list[Member]] = {"train": [], "validation": [], "test": []}
        self.drawn: set[str] = set()

    def draw(self) -> Parts:
        """Fill all parts."""
        self._keep_test()
        self._fill("test", self.order, self.sizes.test, lambda group: not self._was_learned_from(group))
        self._check_test()
        judged = self.drawn | {group for group in self.order if "test" in self.near.get(group, ())}
        self._fill("train", reversed(self.order), self.sizes.train, lambda group: group not in judged)
        learned = judged | self.drawn
        self._fill("validation", self.order, self.sizes.validation, lambda group: group not in learned)
        self._check_rest()
        return {part: [member.headline_id for member in members] for part, members in self.parts.items()}

    def _keep_test(self) -> None:
        for group in self.order:
            kept = [member for member in self.groups[group] if self.earlier.get(member.text_id) == "test"]
            self.parts["test"] += kept
            if kept:
                self.drawn.add(group)

    def _was_learned_from(self, group: str) -> bool:
        parts = {self.earlier.get(member.text_id, "test") for member in self.groups[group]}
        return bool({*parts, *self.near.get(group, ())} - {"test"})

    def _fill(
        self, part: str, groups: Iterable[str], sizes: Mapping[str, int] | None, may_enter: Callable[[str], bool]
    ) -> None:
        """Take headlines group by group until each label has its number, or all when there is none."""
        allowed = ((group, self.groups[group]) for group in groups if may_enter(group))
        self.drawn |= fill_part(self.parts[part], allowed, sizes)

    def _check_test(self) -> None:
        have = Counter(member.label for member in self.parts["test"])
        short = {label: size for label, size in self.sizes.test.items() if have[label] < size}
        if short:
            first, *others = (f"{size} {label} headlines and can have {have[label]}" for label, size in short.items())
            told = ", ".join([first, *(each.replace(" headlines and can have", " and") for each in others)])
            missing = sum(short.values()) - sum(have[label] for label in short)
            raise SplitError(
                f"split: test needs {told}, since the others, or near copies of them, were in train or validation "
                f"before: add {missing} new ones, or start again with another --set split.seed=NUMBER"
            )

    def _check_rest(self) -> None:
        have = {part: Counter(member.label for member in members) for part, members in self.parts.items()}
        found = {label: sum(have[part][label] for part in self.parts) for label in self.sizes.train}
        check_supply(found, self.sizes, have["test"], "near copies of others")


def _split_like_study(members: Sequence[Member], sizes: Sizes, seed: int) -> Parts:
    """The study's draw: scikit-learn's `train_test_split` with fixed sizes; what it leaves is validation."""
    from sklearn.model_selection import train_test_split

    parts: Parts = {"train": [], "validation": [], "test": []}
    for label in sizes.train:
        own = [member.headline_id for member in members if member.label == label]
        train, test = train_test_split(
            own, train_size=sizes.train[label], test_size=sizes.test[label], random_state=seed
        )
        taken = {*train, *test}
        rest = [headline for headline in own if headline not in taken]
        parts["train"] += train
        parts["test"] += test
        parts["validation"] += rest if sizes.validation is None else rest[: sizes.validation[label]]
    return parts

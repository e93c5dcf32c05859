"""The split: assigns headlines to train, validation (which chooses a cell) and test (which judges it)."""

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
"""For a group, the parts in earlier splits of near copies that are not among the headlines."""


class Member(NamedTuple):
    """A headline with the ids that a split needs: of its text, whatever the label, and of its group of near copies."""

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

    The method `hashed` draws groups by a seeded hash, so neither order nor file format matters. No group of near copies
    is in two parts; headlines of a group that its part does not need are in none. Headlines that were in test in an
    earlier split all stay in test, and nothing near them enters train or validation. Headlines that were in train or
    validation, or are near such ones, never enter test. The method `study` ignores groups and earlier splits: it is
    scikit-learn's draw on each class.

    Args:
        members: N headlines, in the order of the source.
        split: How many of each class, and how they are drawn: `hashed` or `study`.
        earlier: The part that each text had in earlier splits with this seed; it may contain further texts.
        near: The parts in earlier splits of near copies of a group that are not among the members.

    Returns:
        The ids by part: `train`, `validation`, `test`. No id is in two parts.

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
    """Of the settings that are tried, those with the largest sizes that the headlines fill; None if none fit."""
    for smaller in iterate_smaller(Counter(member.label for member in members), split):
        with suppress(SplitError):
            _split(members, smaller, earlier, near)
            return smaller
    return None


def count_leaks(group_of: Mapping[str, str], parts: Parts) -> int:
    """The number of test headlines with a copy or near copy in train.

    Args:
        group_of: For each headline's id, its group of near copies.
        parts: The ids by part.
    """
    learned = {group_of[headline_id] for headline_id in parts["train"]}
    return sum(group_of[headline_id] in learned for headline_id in parts["test"])


def fill_part(
    chosen: list[Member], groups: Iterable[tuple[str, Sequence[Member]]], sizes: Mapping[str, int] | None
) -> set[str]:
    """Fill a part group by group until each label has its size, or with all groups if there are no sizes.

    Args:
        chosen: The headlines of the part, to which others are added.
        groups: Each group and its headlines, in the order in which they are taken.
        sizes: How many headlines of each label the part may have; no limit when None.

    Returns:
        The groups from which a headline was added.
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
    """The headlines by group; groups are in the order of a seeded hash, whatever the order of the source."""
    groups: dict[str, list[Member]] = {}
    for member in sorted(members):
        groups.setdefault(member.group_id, []).append(member)
    order = sorted(groups, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
    return {group: groups[group] for group in order}


class _Draw:
    """The method `hashed`: headlines that stay in test come first, then test, train and validation are filled."""

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
        check_drawn(self.parts, self.sizes)
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
        """Take headlines group by group until each label has its size, or all if there are no sizes."""
        allowed = ((group, self.groups[group]) for group in groups if may_enter(group))
        self.drawn |= fill_part(self.parts[part], allowed, sizes)

    def _check_test(self) -> None:
        have = Counter(member.label for member in self.parts["test"])
        short = {label: size for label, size in self.sizes.test.items() if have[label] < size}
        if short:
            first, *others = (f"{size} {label} headlines and can have {have[label]}" for label, size in short.items())
            needs = ", ".join([first, *(text.replace(" headlines and can have", " and") for text in others)])
            missing = sum(short.values()) - sum(have[label] for label in short)
            raise SplitError(
                f"split: test needs {needs}, since the others, or near copies of them, were in train or validation "
                f"before: add {missing} new ones, or start again with another --set split.seed=NUMBER"
            )


def check_drawn(parts: Mapping[str, Sequence[Member]], sizes: Sizes) -> None:
    """Check that parts which near copies were kept out of have as many headlines of each label as was requested.

    Raises:
        SplitError: They have fewer.
    """
    have = {part: Counter(member.label for member in members) for part, members in parts.items()}
    found = {label: sum(counts[label] for counts in have.values()) for label in sizes.train}
    check_supply(found, sizes, have["test"], "near copies of others")


def _split_like_study(members: Sequence[Member], sizes: Sizes, seed: int) -> Parts:
    """The study's draw: scikit-learn's `train_test_split` with fixed sizes; validation is drawn from the rest."""
    from sklearn.model_selection import train_test_split

    parts: Parts = {"train": [], "validation": [], "test": []}
    for label in sizes.train:
        of_label = [member.headline_id for member in members if member.label == label]
        train, test = train_test_split(
            of_label, train_size=sizes.train[label], test_size=sizes.test[label], random_state=seed
        )
        taken = {*train, *test}
        rest = [headline for headline in of_label if headline not in taken]
        parts["train"] += train
        parts["test"] += test
        parts["validation"] += rest if sizes.validation is None else rest[: sizes.validation[label]]
    return parts

"""The split: which headline trains, which chooses, which judges."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.config import SplitSettings
from schemas.errors import InputError
from schemas.label import LABELS

LEAST_CLASSES = 2
"""A study tells so many labels apart at least."""

Parts = dict[str, list[str]]
NearParts = Mapping[str, Collection[str]]
"""For a group, the parts that earlier splits gave to texts near it that are not there themselves."""


class SplitError(InputError):
    """The data cannot fill the split."""


class Member(NamedTuple):
    """A headline as the split sees it: its text whatever the label, and the copies and near copies that it is among."""

    headline_id: str
    label: str
    text_id: str
    group_id: str


@dataclass(frozen=True)
class Sizes:
    """How many headlines of each label the parts have; validation has so many at most, or all that are left."""

    train: dict[str, int]
    test: dict[str, int]
    validation: dict[str, int] | None


def split_headlines(
    members: Sequence[Member],
    split: SplitSettings,
    earlier: Mapping[str, str] | None = None,
    near: NearParts | None = None,
) -> Parts:
    """Assign headlines to train, validation and test, class by class.

    The method `hashed` draws groups, by a seeded hash, so that neither order nor file format matters and no group of
    near copies stands in two parts; headlines of a group beyond what its part needs are in none. What was in test in an
    earlier split stays in test, all of it, and nothing near it enters train or validation; what was in train or
    validation, or is near it, never enters test. The method `study` heeds neither groups nor earlier splits: it is
    scikit-learn's draw on each class, and nothing else.

    Args:
        members: N headlines, in the order of the source.
        split: How many of each class, and how they are drawn: `hashed` or `study`.
        earlier: The part that each text had in earlier splits with this seed; more texts do no harm.
        near: The parts that earlier splits gave to texts near a group that are not among the members.

    Returns:
        Ids by part: `train`, `validation`, `test`. None stands in two parts.

    Raises:
        SplitError: A class has none or too few headlines; the message names it, and how many are missing.
    """
    available = Counter(member.label for member in members)
    sizes = _find_sizes(available, split)
    aside = "copies aside, " if len({(member.text_id, member.label) for member in members}) == len(members) else ""
    for label, test in sizes.test.items():
        _check_supply(label, available[label], sizes, test, aside)
    if split.method == "study":
        return _split_like_study(members, sizes, split.seed)
    return _Draw(members, sizes, split.seed, earlier or {}, near or {}).draw()


def count_leaks(group_of: Mapping[str, str], parts: Parts) -> int:
    """Test headlines of which a copy or near copy is in train.

    Args:
        group_of: Ids of headlines to the group of near copies that each is in.
        parts: Ids by part.
    """
    learned = {group_of[headline_id] for headline_id in parts["train"]}
    return sum(group_of[headline_id] in learned for headline_id in parts["test"])


def find_classes(present: Collection[str], split: SplitSettings) -> list[str]:
    """The labels of a study, in the order of `schemas.label.LABELS`.

    Args:
        present: The labels that its headlines have.
        split: Whether it needs all.

    Raises:
        SplitError: One is missing that it needs.
    """
    there = [label.value for label in LABELS if label in present]
    missing = [label.value for label in LABELS if label not in present]
    if len(there) < LEAST_CLASSES or (missing and split.classes == "all"):
        raise SplitError(_explain_classes(there, missing))
    return there


def _explain_classes(there: Sequence[str], missing: Sequence[str]) -> str:
    held = f"the source has no {' and no '.join(missing)} headline"
    if len(there) < LEAST_CLASSES:
        return f"split: {held}, and a study compares two labels at least: add headlines of another label"
    return (
        f"split: {held}, and all three labels are required: add some, or set split.classes=present for a study of "
        f"{' and '.join(there)} alone"
    )


def _find_sizes(counts: Mapping[str, int], split: SplitSettings) -> Sizes:
    classes = find_classes([label for label, count in counts.items() if count], split)

    def share(size: int) -> dict[str, int]:
        if split.balance == "balanced":
            return dict.fromkeys(classes, size)
        return _share_out(size * len(classes), {label: counts[label] for label in classes})

    most = split.validation_per_class
    return Sizes(share(split.train_per_class), share(split.test_per_class), None if most is None else share(most))


def _share_out(total: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Share a number out in proportion, by largest remainder; every label gets one at least."""
    whole = max(sum(counts.values()), 1)
    exact = {label: total * count / whole for label, count in counts.items()}
    shares = {label: int(value) for label, value in exact.items()}
    by_remainder = sorted(exact, key=lambda label: (shares[label] - exact[label], label))
    for label in by_remainder[: total - sum(shares.values())]:
        shares[label] += 1
    return {label: max(value, 1) for label, value in shares.items()}


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
        self.groups: dict[str, list[Member]] = {}
        for member in sorted(members):
            self.groups.setdefault(member.group_id, []).append(member)
        self.order = sorted(self.groups, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
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
        chosen = self.parts[part]
        have, taken = Counter(member.label for member in chosen), {member.headline_id for member in chosen}
        for group in groups:
            if sizes is not None and all(have[label] >= size for label, size in sizes.items()):
                return
            if not may_enter(group):
                continue
            for member in self.groups[group]:
                if member.headline_id not in taken and (sizes is None or have[member.label] < sizes[member.label]):
                    chosen.append(member)
                    have[member.label] += 1
                    self.drawn.add(group)

    def _check_test(self) -> None:
        have = Counter(member.label for member in self.parts["test"])
        for label, size in self.sizes.test.items():
            if have[label] < size:
                raise SplitError(
                    f"split: {size} {label} headlines are needed in test and {have[label]} can be there, for the "
                    f"others, or near copies of them, were in train or validation before: add {size - have[label]} new "
                    "ones, or begin anew with another split.seed"
                )

    def _check_rest(self) -> None:
        have = {part: Counter(member.label for member in members) for part, members in self.parts.items()}
        for label in self.sizes.train:
            found = sum(have[part][label] for part in self.parts)
            lacking = self.sizes.train[label] - have["train"][label] + (have["validation"][label] == 0)
            if lacking > 0:
                _check_supply(label, found, self.sizes, have["test"][label], "near copies of others aside, ")


def _check_supply(label: str, available: int, sizes: Sizes, test: int, aside: str) -> None:
    needed = sizes.train[label] + test + 1
    if available < needed:
        raise SplitError(
            f"split: {needed} {label} headlines are needed ({sizes.train[label]} train, {test} test, one or more for "
            f"validation) and {aside}the source has {available}: add {needed - available}, or lower "
            "split.train_per_class"
        )


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

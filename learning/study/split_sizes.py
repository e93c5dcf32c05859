"""How many headlines of each class a split needs, which classes have too few, and the sizes that would fit."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from schemas.errors import InputError
from schemas.label import LABELS
from schemas.split import SplitSettings

LEAST_CLASSES = 2
"""A study has at least this many labels."""
SHRINKING = 0.8
"""Factor by which sizes that do not fit are multiplied."""


class SplitError(InputError):
    """The data cannot fill the split."""


class Shortage(NamedTuple):
    """A class with too few headlines: how many it has, and how many train and test need; validation needs one more."""

    label: str
    there: int
    train: int
    test: int

    @property
    def needed(self) -> int:
        """Headlines that the three parts need together."""
        return self.train + self.test + 1

    @property
    def parts(self) -> str:
        """The parts that need the headlines."""
        return f"{self.train} train, {self.test} test, one or more for validation"


class ShortageError(SplitError):
    """Classes have too few headlines."""

    def __init__(self, short: Sequence[Shortage], aside: str) -> None:
        """Name every class that is short.

        Args:
            short: The classes.
            aside: Headlines that do not count, such as `copies`; empty if all count.
        """
        self.short, self.aside = short, aside
        super().__init__(self.explain(None))

    def explain(self, fitting: SplitSettings | None) -> str:
        """The message: every class that is short, how many headlines it has, and a remedy.

        Args:
            fitting: Settings whose sizes fit; None if there are none.
        """
        first, *others = (f"{shortage.needed} {shortage.label}" for shortage in self.short)
        there = [f"{shortage.there}" for shortage in self.short]
        needs = [f"{first} headlines are needed and {there[0]} {'is' if there[0] == '1' else 'are'} there"]
        needs += [f"{needed} and {has}" for needed, has in zip(others, there[1:], strict=True)]
        parts = dict.fromkeys(shortage.parts for shortage in self.short)
        why = "; ".join([*([f"{self.aside} aside"] if self.aside else []), " or ".join(parts)])
        remedy = f", or use {spell_sizes(fitting)}" if fitting else ""
        return f"split: {', '.join(needs)} ({why}): add headlines{remedy}"


@dataclass(frozen=True)
class Sizes:
    """How many headlines of each label each part has; for validation the most, or None for all that are left."""

    train: dict[str, int]
    test: dict[str, int]
    validation: dict[str, int] | None


def find_sizes(counts: Mapping[str, int], split: SplitSettings) -> Sizes:
    """The sizes of the parts, by label.

    Args:
        counts: Headlines by label.
        split: The sizes for a class, and whether they are balanced.

    Raises:
        SplitError: A label that the split needs is missing.
    """
    classes = find_classes([label for label, count in counts.items() if count], split)

    def share(size: int) -> dict[str, int]:
        if split.balance == "balanced":
            return dict.fromkeys(classes, size)
        return _share_out(size * len(classes), {label: counts[label] for label in classes})

    most = split.validation_per_class
    return Sizes(share(split.train_per_class), share(split.test_per_class), None if most is None else share(most))


def check_supply(available: Mapping[str, int], sizes: Sizes, tested: Mapping[str, int], aside: str) -> None:
    """Check that each class has enough headlines.

    Args:
        available: Headlines of each label that can be in any part.
        sizes: The sizes of the parts.
        tested: Headlines of each label in test.
        aside: Headlines that do not count as available, for the message.

    Raises:
        ShortageError: Classes have too few.
    """
    needs = (Shortage(label, available[label], train, tested[label]) for label, train in sizes.train.items())
    if short := [need for need in needs if need.there < need.needed]:
        raise ShortageError(short, aside)


def iterate_smaller(available: Mapping[str, int], split: SplitSettings) -> Iterator[SplitSettings]:
    """Yield settings with smaller sizes, largest first, that leave each class a tenth of its headlines for validation.

    Train and test keep their proportion, except that test keeps its own size or a third of both, whichever is less.

    Args:
        available: Headlines of each label that can be in any part.
        split: The settings that do not fit.
    """
    requested = split.train_per_class + split.test_per_class
    total = min(requested - 1, max(available.values(), default=0))
    while total > 1:
        in_proportion = max(ceil(total * split.test_per_class / requested - 0.5), 1)
        test = max(in_proportion, min(split.test_per_class, total // 3))
        smaller = split.model_copy(update={"train_per_class": total - test, "test_per_class": test})
        if test < total and _leaves_validation(available, smaller):
            yield smaller
            total = int(total * SHRINKING)
        else:
            total -= max(total // 100, 1)


def spell_sizes(split: SplitSettings) -> str:
    """The sizes of a split as command-line options; with folds, test has no size."""
    train = f"--set split.train_per_class={split.train_per_class}"
    return train if split.folds else f"{train} --set split.test_per_class={split.test_per_class}"


def _leaves_validation(available: Mapping[str, int], split: SplitSettings) -> bool:
    sizes = find_sizes(available, split)
    return all(
        train + sizes.test[label] + max(available[label] // 10, 1) <= available[label]
        for label, train in sizes.train.items()
    )


def find_classes(present: Collection[str], split: SplitSettings) -> list[str]:
    """The labels of a study, in the order of `schemas.label.LABELS`.

    Args:
        present: The labels that its headlines have.
        split: Whether the study needs all labels.

    Raises:
        SplitError: A label that it needs is missing.
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


def _share_out(total: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Divide a number in proportion, by largest remainder; every label gets at least one."""
    whole = max(sum(counts.values()), 1)
    exact = {label: total * count / whole for label, count in counts.items()}
    shares = {label: int(value) for label, value in exact.items()}
    by_remainder = sorted(exact, key=lambda label: (shares[label] - exact[label], label))
    for label in by_remainder[: total - sum(shares.values())]:
        shares[label] += 1
    return {label: max(value, 1) for label, value in shares.items()}


def list_lacking(labels: Mapping[str, Collection[str]], classes: Sequence[str]) -> str:
    """A text with the classes that each part lacks; empty if no part lacks any.

    Args:
        labels: The labels of the headlines of each part.
        classes: The labels that each part needs.
    """
    lacking = {part: [label for label in classes if label not in present] for part, present in labels.items()}
    return ", ".join(f"{part} has no {' and no '.join(absent)} headline" for part, absent in lacking.items() if absent)

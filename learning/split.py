"""The split: which headline trains, which chooses, which judges. Knows ids and labels; knows no text and no model."""

import hashlib
from collections.abc import Mapping, Sequence

from schemas.config import SplitSettings
from schemas.errors import InputError
from schemas.label import LABELS


class SplitError(InputError):
    """The data cannot fill the split."""


def split_headlines(
    headline_ids: Sequence[str],
    labels: Sequence[str],
    split: SplitSettings,
    earlier: Mapping[str, str] | None = None,
) -> dict[str, list[str]]:
    """Assign headlines to train, validation and test, class by class.

    With the method `hashed`, what was in test in an earlier split stays in test, all of it, and what was in train or
    validation never enters test. The method `study` heeds no earlier split: it is scikit-learn's, and nothing else.

    Args:
        headline_ids: N ids, in the order of the source.
        labels: Their labels.
        split: How many of each class, and how they are drawn.
        earlier: The part of each headline that an earlier split with the same settings has; more ids do no harm.

    Returns:
        Ids by part: `train`, `validation`, `test`. None stands in two parts.

    Raises:
        SplitError: A class has too few headlines; the message names it and how many are missing.
    """
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    known = earlier or {}
    for label in LABELS:
        members = [headline for headline, own in zip(headline_ids, labels, strict=True) if own == label]
        if split.method == "study":
            _check_supply(label, len(members), split.test_per_class, split)
            assigned = _assign_like_study(members, split)
        else:
            assigned = _assign_by_hash(label, members, split, known)
        for part, chosen in assigned.items():
            parts[part] += chosen[: split.validation_per_class] if part == "validation" else chosen
    return parts


def _check_supply(label: str, available: int, test: int, split: SplitSettings) -> None:
    needed = split.train_per_class + test + 1
    if available < needed:
        raise SplitError(
            f"split: {needed} {label} headlines are needed ({split.train_per_class} train, {test} "
            f"test, one or more for validation) and the source has {available}: add {needed - available}, or lower "
            "split.train_per_class"
        )


def _assign_by_hash(
    label: str, members: Sequence[str], split: SplitSettings, earlier: Mapping[str, str]
) -> dict[str, list[str]]:
    """Order by a seeded hash of the id, so that neither order nor file format of the source matters."""
    shuffled = sorted(members, key=lambda headline: hashlib.sha256(f"{split.seed}:{headline}".encode()).digest())
    kept = [headline for headline in shuffled if earlier.get(headline) == "test"]
    unseen = [headline for headline in shuffled if headline not in earlier]
    test = [*kept, *unseen[: max(split.test_per_class - len(kept), 0)]]
    _check_supply(label, len(members), max(split.test_per_class, len(kept)), split)
    if len(test) < split.test_per_class:
        raise SplitError(
            f"split: {split.test_per_class} {label} headlines are needed in test and {len(test)} can be there, for the "
            f"others were in train or validation before: add {split.test_per_class - len(test)} new ones, or begin "
            "anew with another split.seed"
        )
    taken = set(test)
    rest = [headline for headline in shuffled if headline not in taken]
    spare = len(rest) - split.train_per_class
    return {"test": test, "validation": rest[:spare], "train": rest[spare:]}


def _assign_like_study(members: Sequence[str], split: SplitSettings) -> dict[str, list[str]]:
    """The study's draw: scikit-learn's `train_test_split` with fixed sizes; what it leaves is validation."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        list(members), train_size=split.train_per_class, test_size=split.test_per_class, random_state=split.seed
    )
    taken = {*train, *test}
    return {"train": train, "test": test, "validation": [headline for headline in members if headline not in taken]}

"""The split: which headline trains, which chooses, which judges. Knows ids and labels; knows no text and no model."""

import hashlib
from collections.abc import Sequence

from schemas.config import SplitSettings
from schemas.errors import InputError
from schemas.label import LABELS


class SplitError(InputError):
    """The data cannot fill the split."""


def split_headlines(headline_ids: Sequence[str], labels: Sequence[str], split: SplitSettings) -> dict[str, list[str]]:
    """Assign headlines to train, validation and test, class by class.

    Args:
        headline_ids: N ids, in the order of the source.
        labels: Their labels.
        split: How many of each class, and how they are drawn.

    Returns:
        Ids by part: `train`, `validation`, `test`. None stands in two parts.

    Raises:
        SplitError: A class has too few headlines; the message names it and how many are missing.
    """
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    assign = _assign_like_study if split.method == "study" else _assign_by_hash
    for label in LABELS:
        members = [headline for headline, own in zip(headline_ids, labels, strict=True) if own == label]
        _check_supply(label, len(members), split)
        for part, chosen in assign(members, split).items():
            parts[part] += chosen[: split.validation_per_class] if part == "validation" else chosen
    return parts


def _check_supply(label: str, available: int, split: SplitSettings) -> None:
    needed = split.train_per_class + split.test_per_class + 1
    if available < needed:
        raise SplitError(
            f"split: {needed} {label} headlines are needed ({split.train_per_class} train, {split.test_per_class} "
            f"test, one or more for validation) and the source has {available}: add {needed - available}, or lower "
            "split.train_per_class"
        )


def _assign_by_hash(members: Sequence[str], split: SplitSettings) -> dict[str, list[str]]:
    """Order by a seeded hash of the id, so that neither order nor file format of the source matters."""
    shuffled = sorted(members, key=lambda headline: hashlib.sha256(f"{split.seed}:{headline}".encode()).digest())
    test, rest = shuffled[: split.test_per_class], shuffled[split.test_per_class :]
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

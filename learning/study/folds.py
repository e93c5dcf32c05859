"""Folds of a cross-validation: each headline is in test once, and near copies are in the same part of a fold."""

from collections import Counter
from collections.abc import Mapping, Sequence

from learning.study.split import Member, Parts, check_drawn, fill_part, order_groups
from learning.study.split_sizes import (
    SHRINKING,
    ShortageError,
    Sizes,
    SplitError,
    find_classes,
    find_sizes,
)
from schemas.split import SplitSettings

_PARTS = 3
"""The parts of a fold, train, validation and test: each holds other groups of near copies."""


def draw_folds(members: Sequence[Member], split: SplitSettings, folds: int) -> list[Parts]:
    """Divide headlines into folds, and draw train and validation of each fold from the others.

    A fold's test part is the fold itself. Validation comes from the next fold, so a headline is in validation at most
    once; train comes from all other folds, and from the next one only if those do not suffice. The order of the source
    has no effect.

    Args:
        members: N headlines.
        split: How many of each class train and validation have, and the seed.
        folds: How many folds, at least 2.

    Returns:
        For each fold, the ids by part: `train`, `validation`, `test`.

    Raises:
        SplitError: A class has fewer groups of near copies than there are folds, or a fold leaves too few headlines for
            train and validation; the message has a size that fits.
    """
    groups, fold_of = _deal(members, split, folds)
    available = Counter(member.label for member in members)
    drawn = []
    for fold in range(folds):
        try:
            drawn.append(_draw_fold(groups, fold_of, fold, folds, find_sizes(available, split)))
        except ShortageError as error:
            fitting = _find_fitting(groups, fold_of, split, folds)
            raise SplitError(f"{error.explain(fitting)} (in fold {fold + 1} of {folds})") from error
    return drawn


def _deal(
    members: Sequence[Member], split: SplitSettings, folds: int
) -> tuple[dict[str, list[Member]], dict[str, int]]:
    """Groups of near copies in a seeded order, and the fold of each: scikit-learn's StratifiedGroupKFold."""
    from sklearn.model_selection import StratifiedGroupKFold

    groups = order_groups(members, split.seed)
    classes = find_classes(list({member.label for member in members}), split)
    _check_groups(groups, classes, folds)
    order = [member for copies in groups.values() for member in copies]
    places = {group: place for place, group in enumerate(groups)}
    numbers = [places[member.group_id] for member in order]
    labels = [classes.index(member.label) for member in order]
    dealt = StratifiedGroupKFold(folds).split(numbers, labels, numbers)
    fold_of = {order[row].group_id: fold for fold, (_, test) in enumerate(dealt) for row in test}
    return groups, fold_of


def _check_groups(groups: Mapping[str, Sequence[Member]], classes: Sequence[str], folds: int) -> None:
    counts = Counter(label for copies in groups.values() for label in {member.label for member in copies})
    short = [label for label in classes if counts[label] < folds]
    if short:
        least = min(counts[label] for label in short)
        counted = ", ".join(f"{label} has {counts[label]:,}" for label in short)
        remedy = f", or use --set split.folds={least}" if least >= _PARTS else ""
        raise SplitError(
            f"split.folds {folds}: each class needs as many groups of near copies, and {counted}: add headlines{remedy}"
        )


def _draw_fold(
    groups: Mapping[str, list[Member]], fold_of: Mapping[str, int], fold: int, folds: int, sizes: Sizes
) -> Parts:
    following = (fold + 1) % folds
    test = [member for group, copies in groups.items() if fold_of[group] == fold for member in copies]
    near = [(group, copies) for group, copies in groups.items() if fold_of[group] == following]
    others = [(group, copies) for group, copies in groups.items() if fold_of[group] not in {fold, following}]
    train, validation = list[Member](), list[Member]()
    learned = fill_part(train, [*others, *reversed(near)], sizes.train)
    fill_part(validation, ((group, copies) for group, copies in near if group not in learned), sizes.validation)
    parts = {"train": train, "validation": validation, "test": test}
    check_drawn(parts, sizes)
    return {part: [member.headline_id for member in chosen] for part, chosen in parts.items()}


def _find_fitting(
    groups: Mapping[str, list[Member]], fold_of: Mapping[str, int], split: SplitSettings, folds: int
) -> SplitSettings | None:
    """Of the settings that are tried, those with the largest train part that every fold fills; None if none fit."""
    available = Counter(member.label for copies in groups.values() for member in copies)
    size = min(split.train_per_class, max(available.values()) + 1)
    while size > 1:
        size = int(size * SHRINKING)
        smaller = split.model_copy(update={"train_per_class": size})
        try:
            for fold in range(folds):
                _draw_fold(groups, fold_of, fold, folds, find_sizes(available, smaller))
        except SplitError:
            continue
        return smaller
    return None

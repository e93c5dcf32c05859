"""The split that a source defines: its own train, validation and test, without copies across parts."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from learning.study.split import Member, Parts
from learning.study.split_sizes import SplitError, find_classes, list_lacking
from schemas.split import SplitSettings

GivenParts = Mapping[str, Collection[str]]
"""For each headline, the parts of its rows in the source: several if copies of it are in several."""

ORDER = ("test", "train", "validation")
"""The first of these parts keeps a headline, or a group of near copies, that is in several: test stays complete."""


def split_as_given(members: Sequence[Member], split: SplitSettings, given: GivenParts) -> Parts:
    """Assign headlines to the parts that their source defines.

    Test stays as it is in the source. Copies and near copies of test headlines leave train and validation, and those of
    train headlines leave validation; they are then in no part.

    Args:
        members: N headlines, in the order of the source.
        split: The classes that each part needs; sizes, balance and seed have no effect.
        given: The parts of each headline in the source.

    Returns:
        The ids by part: `train`, `validation`, `test`. No group of near copies is in two parts.

    Raises:
        SplitError: A headline is in no part, or a part is missing or lacks a class.
    """
    _check_given(members, given)
    parts: dict[str, list[Member]] = {"train": [], "validation": [], "test": []}
    taken: set[str] = set()
    for part in ORDER:
        kept = [member for member in members if part in given[member.headline_id] and member.group_id not in taken]
        parts[part] = kept
        taken |= {member.group_id for member in kept}
    _check_classes(parts, find_classes({member.label for member in members}, split))
    return {part: [member.headline_id for member in kept] for part, kept in parts.items()}


def count_moved(given: GivenParts, parts: Parts) -> dict[str, int]:
    """How many headlines each part of the source lost in `split_as_given`; parts that lost none are left out."""
    before = Counter(part for of_headline in given.values() for part in of_headline)
    return {part: lost for part in ORDER if (lost := before[part] - len(parts[part]))}


def _check_given(members: Sequence[Member], given: GivenParts) -> None:
    without = sum(not given.get(member.headline_id) for member in members)
    if without == len(members):
        raise SplitError(
            "split.method given: the source gives no headline a part; set data.split_column to the column that holds "
            "train, validation and test, name the files of a folder or a zip so, or set split.method=hashed"
        )
    if without:
        raise SplitError(
            f"split.method given: {without:,} of {len(members):,} headlines are in no part; name the files that hold "
            "them train, validation or test, or take them out"
        )
    there = {part for parts in given.values() for part in parts}
    missing = [part for part in ("train", "validation", "test") if part not in there]
    if missing:
        raise SplitError(
            f"split.method given: the source has {' and '.join(sorted(there))} and no {' and no '.join(missing)}; give "
            f"rows that part, or set split.method=hashed, which draws all parts{_explain_validation(missing)}"
        )


def _explain_validation(missing: Sequence[str]) -> str:
    return ". Validation chooses the cell: a tenth of train will do" if missing == ["validation"] else ""


def _check_classes(parts: Mapping[str, Sequence[Member]], classes: Sequence[str]) -> None:
    lacking = list_lacking({part: {member.label for member in kept} for part, kept in parts.items()}, classes)
    if lacking:
        raise SplitError(
            f"split.method given: {lacking} once copies and near copies of other parts are left out; add some, "
            "or set split.method=hashed, which draws all parts"
        )

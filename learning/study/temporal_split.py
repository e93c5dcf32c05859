"""The split by time: train was published before validation, and validation before test."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from learning.study.split import Member, Parts
from learning.study.split_sizes import SplitError, find_classes, list_lacking
from schemas.split import SplitSettings

Times = Mapping[str, datetime]
"""The time of publication of each headline, UTC, by its id; headlines without a known time are absent."""
Regroup = Callable[[Sequence[str]], Sequence[int]]
"""Returns the groups of near copies among some headlines as numbers, from their ids; other headlines play no part."""


def split_by_time(members: Sequence[Member], split: SplitSettings, times: Times, regroup: Regroup) -> list[Parts]:
    """Assign headlines to train, validation and test by their time of publication.

    Without windows there is one split: train was published before `validation_from`, validation from then until before
    `test_from`, and test is the rest. If a date is not set, the latest headlines are test and those before them
    validation, by their shares. With k windows, test is cut into k stretches with equally many headlines: a window is
    tested on its stretch, validated on the one before it, and trained on everything earlier. So no headline is in test
    or in validation of two windows.

    A near copy of an earlier headline is in no later part. Whether a headline is in validation depends only on train
    and validation, so later headlines have no effect on training or on the choice of a cell.

    Args:
        members: N headlines, in any order; those without a time are in no part.
        split: Dates or shares, windows, and the classes that each part needs; dates without a zone are UTC.
        times: The time of publication of each headline.
        regroup: Finds near copies among some of them.

    Returns:
        For each window, the ids by part: `train`, `validation`, `test`, each in the order of the members.

    Raises:
        SplitError: No headline has a time, or a part has no headline of a class.
    """
    dated = [member for member in members if member.headline_id in times]
    if not dated:
        raise SplitError(
            "split.method temporal: no headline has a date; name the column that holds it with --published-at-column "
            "NAME, or set split.method=hashed"
        )
    starts = find_starts(sorted(times[member.headline_id] for member in dated), split)
    stretches = [bisect_right(starts, times[member.headline_id]) for member in dated]
    classes = find_classes({member.label for member in dated}, split)
    windows = []
    for number in range(1, (split.windows or 1) + 1):
        parts = _divide(dated, [_name_part(stretch, number) for stretch in stretches], regroup)
        _check_classes(parts, classes, f" (in window {number} of {split.windows})" if split.windows else "")
        windows.append({part: [member.headline_id for member in chosen] for part, chosen in parts.items()})
    return windows


def find_starts(times: Sequence[datetime], split: SplitSettings) -> list[datetime]:
    """The times at which validation begins, test begins, and the test of each window after the first begins.

    Args:
        times: N times in order.
        split: The dates, or else the shares, and the windows.

    Raises:
        SplitError: A part would be empty, because nothing precedes it or too many headlines have the same time.
    """
    count = len(times)
    test = split.test_from or times[min(int(count * (1 - split.test_share)), count - 1)]
    first_test = bisect_left(times, test)
    validation = split.validation_from or times[max(first_test - max(round(count * split.validation_share), 1), 0)]
    tested = count - first_test
    windows = split.windows or 1
    later = [times[first_test + tested * number // windows] for number in range(1, windows)]
    starts = [validation, test, *later]
    if starts[-1] > times[-1] or any(start <= earlier for earlier, start in pairwise([times[0], *starts])):
        raise SplitError(
            f"split.method temporal: headlines were published from {_show(times[0])} to {_show(times[-1])} UTC, and "
            f"validation and test would begin at {', '.join(map(_show, starts))}, which leaves a part empty: set other "
            "split.validation_from and split.test_from, or fewer split.windows"
        )
    return starts


def _name_part(stretch: int, window: int) -> str | None:
    """The part of a stretch in a window: 0 is before all, W is validation of window W, and W + 1 is its test."""
    if stretch < window:
        return "train"
    return {window: "validation", window + 1: "test"}.get(stretch)


def _divide(dated: Sequence[Member], named: Sequence[str | None], regroup: Regroup) -> dict[str, list[Member]]:
    """The headlines of each part, without those that are near copies of one in an earlier part."""
    divided = {
        part: [member for member, name in zip(dated, named, strict=True) if name == part]
        for part in ("train", "validation", "test")
    }
    learned = [*divided["train"], *divided["validation"]]
    groups = dict(zip(learned, regroup([member.headline_id for member in learned]), strict=True))
    trained = {groups[member] for member in divided["train"]}
    earlier = {member.group_id for member in learned}
    divided["validation"] = [member for member in divided["validation"] if groups[member] not in trained]
    divided["test"] = [member for member in divided["test"] if member.group_id not in earlier]
    return divided


def _check_classes(parts: Mapping[str, Sequence[Member]], classes: Sequence[str], where: str) -> None:
    lacking = list_lacking({part: {member.label for member in members} for part, members in parts.items()}, classes)
    if lacking:
        raise SplitError(
            f"split.method temporal: {lacking} that is no near copy of an earlier one{where}: set other dates "
            "or shares, or split.method=hashed, which draws all parts"
        )


def _show(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}".removesuffix(" 00:00")

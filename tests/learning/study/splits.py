"""A small set of headlines and how a test splits it."""

import pytest

from learning.study.split import Member, split_headlines
from schemas.split import SplitSettings

COUNTS = {"negative": 9, "neutral": 30, "positive": 15}

LABEL_OF = {f"{label}-{number}": label for label, count in COUNTS.items() for number in range(count)}

IDS = sorted(LABEL_OF, key=lambda headline: (int(headline.partition("-")[2]), headline))

BOTH_METHODS = pytest.mark.parametrize("method", ["hashed", "study"])


def settings(method: str, **changes: int | str) -> SplitSettings:
    return SplitSettings.model_validate({"method": method, "train_per_class": 4, "test_per_class": 3} | changes)


def split(
    split_settings: SplitSettings,
    ids: list[str] = IDS,
    earlier: dict[str, str] | None = None,
    groups: dict[str, str] | None = None,
    near: dict[str, set[str]] | None = None,
) -> dict[str, list[str]]:
    """Split headlines, each with its own text and in its own group unless `groups` names another."""
    members = [
        Member(headline, LABEL_OF[headline], headline, (groups or {}).get(headline, headline)) for headline in ids
    ]
    return split_headlines(members, split_settings, earlier, near)


def counts_by_label(ids: list[str]) -> dict[str, int]:
    return {label: sum(LABEL_OF[headline] == label for headline in ids) for label in COUNTS}

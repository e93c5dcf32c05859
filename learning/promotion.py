"""The promotion gate: whether the fine-tune that validation chose takes the champion's place.

It is judged once, on test. Validation chose it, so that each test here is the only one of its kind and needs no
correction. Knows figures and predictions; knows no table and words nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from learning.comparison import Comparison
from schemas.comparison import Difference
from schemas.config import PromotionSettings
from schemas.promotion import Check, Floor


@dataclass(frozen=True)
class Rival:
    """Whom the challenger must beat: its name, and the challenger compared with it on the headlines of both.

    Without a comparison, which then has a reason, nobody can say that it was beaten.
    """

    name: str
    comparison: Comparison | None
    reason: str | None = None


def judge(
    accuracy: float,
    unparsed_rate: float,
    baseline: Rival | None,
    champion: Rival | None,
    settings: PromotionSettings,
) -> tuple[Check, ...]:
    """Hold a challenger to every floor; it is promoted where it passes them all.

    Args:
        accuracy: On the study's test part, at the temperature of the choice.
        unparsed_rate: On the same.
        baseline: The study's best baseline; None where it has none, or is not to be beaten.
        champion: The champion of today; None where there is none.
        settings: The floors, and the level of McNemar's exact test.
    """
    checks = [
        Check("accuracy", accuracy >= settings.min_accuracy, accuracy, settings.min_accuracy),
        Check("unparsed rate", unparsed_rate <= settings.max_unparsed_rate, unparsed_rate, settings.max_unparsed_rate),
    ]
    if baseline and settings.beat_baseline:
        checks.append(_against("best baseline", accuracy, baseline, settings.level))
    if champion:
        checks.append(_against("champion", accuracy, champion, settings.level))
    return tuple(checks)


def is_promoted(checks: Sequence[Check]) -> bool:
    """Whether a challenger passes every floor."""
    return all(check.is_passed for check in checks)


def _against(floor: Floor, accuracy: float, rival: Rival, level: float) -> Check:
    """Better on the same headlines, and that by more than the level's share of luck."""
    compared = rival.comparison
    if compared is None:
        return Check(floor, is_passed=False, value=accuracy, bound=1, rival=rival.name, reason=rival.reason)
    difference = Difference(compared.difference, compared.difference_low, compared.difference_high, compared.p_value)
    return Check(
        floor=floor,
        is_passed=compared.difference > 0 and compared.p_value < level,
        value=compared.accuracy,
        bound=compared.other_accuracy,
        rival=rival.name,
        n=compared.n,
        difference=difference,
        level=level,
    )

"""The promotion gate: decides whether the fine-tune that validation chose replaces the champion.

Looks at test headlines are a budget: each judgement on the same headlines has a smaller level than the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

from learning.study.comparison import Comparison
from schemas.comparison import Difference
from schemas.evaluation import PromotionSettings
from schemas.promotion import Allowance, Check, Floor, Look


@dataclass(frozen=True)
class Rival:
    """A cell that the challenger must beat: its name, and the comparison of the challenger with it.

    Without a comparison there is a reason, and the rival counts as not beaten.
    """

    name: str
    comparison: Comparison | None
    reason: str | None = None


def spend(level: float, looks: Sequence[Look]) -> Allowance:
    """The level of a judgement that comes after other looks at the same test headlines.

    The k-th look has the level `level * 6 / (pi^2 k^2)`. These levels sum to `level` (Euler's solution of the Basel
    problem). So by Boole's inequality, the probability that a challenger that is no better than its rival is ever
    promoted is below `level`, however many looks there are and however they depend on each other: an alpha-spending
    function (Lan and DeMets 1983) for an unknown number of looks. Within a look no correction is needed, since a
    challenger must beat every rival (an intersection-union test, Berger 1982). Why a test part wears out at all: Dwork
    et al. 2015, "The reusable holdout".

    An earlier look counts by its share of the headlines, so new headlines refill the budget in proportion. The level is
    chosen before the first look: if all headlines were looked at, a later look may lower it but cannot raise it.

    Args:
        level: `promotion.level` of the study that is judged.
        looks: The earlier looks.
    """
    look = 1 + sum(earlier.share for earlier in looks)
    capped = (share * min(level, earlier) + (1 - share) * level for share, earlier in looks)
    promotion_level = min(capped, default=level)
    return Allowance(look, promotion_level, promotion_level * 6 / (pi * look) ** 2)


def judge(
    accuracy: float,
    unparsed_rate: float,
    baseline: Rival | None,
    champion: Rival | None,
    settings: PromotionSettings,
    level: float,
) -> tuple[Check, ...]:
    """Check a challenger against every floor; it is promoted if it passes them all.

    Args:
        accuracy: Accuracy on the study's test part, at the temperature of the choice.
        unparsed_rate: Share of unparsed answers on the same part.
        baseline: The study's best baseline; None if it has none.
        champion: The current champion; None if there is none.
        settings: The floors.
        level: Level of McNemar's exact test in this look; see `spend`.
    """
    checks = [
        Check("accuracy", accuracy >= settings.min_accuracy, accuracy, settings.min_accuracy),
        Check("unparsed rate", unparsed_rate <= settings.max_unparsed_rate, unparsed_rate, settings.max_unparsed_rate),
    ]
    if baseline and settings.beat_baseline:
        checks.append(_against("best baseline", accuracy, baseline, level))
    if champion:
        checks.append(_against("champion", accuracy, champion, level))
    return tuple(checks)


def is_promoted(checks: Sequence[Check]) -> bool:
    """Whether a challenger passes every floor."""
    return all(check.is_passed for check in checks)


def _against(floor: Floor, accuracy: float, rival: Rival, level: float) -> Check:
    """Check that the challenger is better on the same headlines, with an exact p-value below the level."""
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

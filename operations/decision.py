"""The gate's decision on a challenger, from its figures on test and from the looks at these headlines so far."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from schemas.evaluation import PromotionSettings
from schemas.promotion import Allowance, Champion, Check
from storage.champions import Decision

if TYPE_CHECKING:
    from learning.study.promotion import Rival
    from storage.looks import Standing


@dataclass(frozen=True)
class Challenge:
    """The cell that validation chose, and the evaluation on test that judges it."""

    study_id: str
    cell: Champion
    evaluation_id: str


@dataclass(frozen=True)
class Measured:
    """A challenger's figures on test; a rival is None if there is none."""

    accuracy: float
    unparsed_rate: float
    baseline: "Rival | None"
    champion: "Rival | None"
    left_out: str | None = None
    """The default baselines that were not compared, in words; None if all of them were."""


def decide(
    challenge: Challenge, standing: "Standing", settings: PromotionSettings, measure: Callable[[], Measured]
) -> Decision:
    """Decide whether a challenger becomes champion.

    Args:
        challenge: The cell that is judged, and by which evaluation.
        standing: The champion and the looks so far.
        settings: The floors, and the level that all looks share.
        measure: Reads the figures on test; called only if this is a new look.
    """
    from learning.study.promotion import is_promoted, judge, spend
    from reporting.promotion import describe_checks, describe_look, describe_same_look

    decision = Decision("kept", "gate", "it is the champion already", challenge.study_id, *challenge.cell)
    if standing.champion and standing.champion.cell_id == challenge.cell.cell_id:
        return decision
    if standing.same_look:
        return _repeat(replace(decision, reason=describe_same_look(standing.same_look)), standing.same_look)
    allowance, figures = spend(settings.level, standing.looks), measure()
    checks = judge(
        figures.accuracy, figures.unparsed_rate, figures.baseline, figures.champion, settings, allowance.level
    )
    return replace(
        _with_figures(decision, checks),
        decision="promoted" if is_promoted(checks) else "kept",
        reason="; ".join(
            part for part in (describe_checks(checks), figures.left_out, describe_look(allowance)) if part
        ),
        evaluation_id=challenge.evaluation_id,
        **allowance._asdict(),
    )


def _repeat(decision: Decision, same_look: dict[str, Any]) -> Decision:
    """Repeat an earlier decision that read the same figures; thresholds that were changed since do not count.

    The champion stays: if the cell was promoted then, a person has gone back since.
    """
    names = ("n", "accuracy", "previous_accuracy", "difference", "difference_low", "difference_high", "p_value")
    budget = ("evaluation_id", *Allowance._fields)
    return replace(decision, **{name: same_look[name] for name in (*names, *budget)})


def _with_figures(decision: Decision, checks: tuple[Check, ...]) -> Decision:
    """The decision with the measured figures: those against the champion if there is one, else the cell's accuracy."""
    against = next((check for check in checks if check.floor == "champion" and check.difference), None)
    if against is None or against.difference is None:
        return replace(decision, accuracy=checks[0].value)
    return replace(
        decision,
        n=against.n,
        accuracy=against.value,
        previous_accuracy=against.bound,
        difference=against.difference.value,
        difference_low=against.difference.low,
        difference_high=against.difference.high,
        p_value=against.difference.p_value,
    )

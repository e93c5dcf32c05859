"""Describes decisions of the promotion gate and, separately, the current champion."""

from collections.abc import Callable, Sequence
from operator import ge, le
from typing import Any

from reporting.verdict import format_interval, format_p_value, format_ratio
from schemas.promotion import Allowance, Champion, Check
from schemas.split import Repeats

FINEST = 0.001
"""The smallest p-value that is shown with three digits."""
_MORE_DIGITS = range(18)
"""Further digits of a figure whose rounding would contradict a verdict; the last show a float exactly."""

_WORSE = "is worse than"
"""How a challenger that is worse beyond noise is compared: more test headlines would not help it."""


def describe_checks(checks: Sequence[Check]) -> str:
    """Every floor and how it was met, in a line; missed floors come first."""
    return "; ".join(_describe_check(check) for check in sorted(checks, key=lambda check: check.is_passed))


def describe_look(allowance: Allowance) -> str:
    """Which look at the test headlines it was, and the level that it could use."""
    share = f"level {allowance.level:.3g} of {allowance.promotion_level:g}"
    return f"look {allowance.look:.3g} at these test headlines: {share}"


def describe_same_look(decision: dict[str, Any]) -> str:
    """A sentence on an earlier decision, a row of `champions`, that read the same figures."""
    verdict = "promoted" if decision["decision"] == "promoted" else "not promoted"
    rival = "against the same champion" if decision["previous_cell_id"] else "with no champion to beat"
    return (
        f"study {decision['study_id']} judged it before on the same headlines {rival}, and other thresholds do not "
        f"make a second look. It was {verdict} then: {decision['reason']}"
    )


def describe_decision(decision: dict[str, Any]) -> str:
    """A decision of the gate, a row of `champions`, in a sentence with its date, without its reason."""
    cell, before = decision["cell_id"], decision["previous_cell_id"]
    gate = f"On {decision['decided_at']:%d %B %Y} the gate"
    if decision["decision"] == "promoted":
        return f"{gate} promoted cell {cell}{f' in place of cell {before}' if before else ' to be the first champion'}"
    if before == cell:
        return f"{gate} found that cell {cell} was the champion already"
    stayed = f"the champion stayed cell {before}" if before else "there was no champion"
    return f"{gate} did not promote cell {cell}, and {stayed}"


def describe_repeats_unjudged(repeats: Repeats) -> str:
    """Why a study of folds or windows promotes nothing, and what does."""
    return (
        f"not judged: {repeats} estimate a recipe, and each model saw only its own train part; to promote one, run "
        f"the best settings without split.{repeats.units}"
    )


def describe_advice(decision: dict[str, Any], champion: Champion | None) -> str | None:
    """What would help a cell that the gate did not promote; None if it did, or if the cell is the champion by now."""
    cell = decision["cell_id"]
    if decision["decision"] != "kept" or (champion and champion.cell_id == cell):
        return None
    wider = "" if _WORSE in decision["reason"] else "more test headlines, for narrower intervals; "
    return (
        f"what may help: {wider}other settings (--grid), more train headlines or another base model; `fintone compare`"
        f"; or `fintone promote {cell} --reason WHY`, by hand"
    )


def describe_champion(champion: Champion | None) -> str:
    """Who is champion: `cell 3f9a at temperature 0.1`, or `none`."""
    return f"cell {champion.cell_id} at temperature {champion.temperature:g}" if champion else "none"


def describe_temperature(temperature: float, judged_at: float) -> str:
    """The temperature at which a cell answers, and that at which it was judged."""
    judged = "at which it was judged" if temperature == judged_at else f"judged at {judged_at:g}"
    return f"at temperature {temperature:g}, {judged}"


def describe_match(decision: dict[str, Any]) -> str | None:
    """The cell's result against the champion of that day, headline by headline; None if there was none."""
    before, accuracy = decision["previous_cell_id"], decision["previous_accuracy"]
    if accuracy is None or before == decision["cell_id"]:
        return None
    bounds = (decision[name] for name in ("difference", "difference_low", "difference_high"))
    return (
        f"The champion of that day, cell {before}, had an accuracy of {accuracy:.3f} on the {decision['n']:,} of them "
        f"that it did not learn from, and this one {decision['accuracy']:.3f}: {format_interval(*bounds)}, "
        f"{format_p_value(decision['p_value'])}"
    )


def _describe_check(check: Check) -> str:
    if check.floor == "accuracy":
        side = "reaches" if check.value >= check.bound else "is below"
        return f"accuracy {_format_beside(check.value, check.bound, ge)} {side} the floor of {check.bound:.15g}"
    if check.floor == "unparsed rate":
        side = "within" if check.is_passed else "above"
        return f"unparsed {_format_beside(check.value, check.bound, le)}, {side} the {check.bound:.15g} allowed"
    if check.difference is None or check.level is None:
        return f"cannot be compared with the {check.floor} {check.rival}: {check.reason}"
    is_worse = check.difference.value < 0 and check.difference.p_value < check.level
    verb = "beats" if check.is_passed else _WORSE if is_worse else "does not beat"
    figures = f"{format_interval(*check.difference[:3])}, {_format_p_and_level(check.difference.p_value, check.level)}"
    return f"{verb} the {check.floor} {check.rival} on {check.n:,} headlines: {figures}"


def _format_p_and_level(p_value: float, level: float) -> str:
    """A p-value and the level that it must be below, with enough digits to show on which side it is."""
    if p_value < FINEST <= level:
        return f"{format_p_value(p_value)} at level {level:.3g}"
    kind, fewest = ("f", 3) if level >= FINEST or p_value >= 10 * FINEST else ("g", 2)
    for more in _MORE_DIGITS:
        figure, bound = f"{p_value:.{fewest + more}{kind}}", f"{level:.{3 + more}g}"
        if (float(figure) < float(bound)) == (p_value < level):
            break
    return f"p={figure.replace('0.', '.', 1)} at level {bound}"


def _format_beside(value: float, bound: float, is_met: Callable[[float, float], bool]) -> str:
    """A share with enough digits to show whether it meets a bound."""
    for more in _MORE_DIGITS:
        if is_met(round(value, 3 + more), bound) == is_met(value, bound):
            break
    return format_ratio(value, 3 + more)

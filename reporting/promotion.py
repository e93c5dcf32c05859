"""A decision of the promotion gate in sentences. Knows figures and names; decides nothing and reads no warehouse."""

from collections.abc import Sequence
from typing import Any

from reporting.verdict import tell_figure, tell_interval, tell_p
from schemas.promotion import Check


def tell_checks(checks: Sequence[Check]) -> str:
    """Every floor and how it was met, in a line; those that were missed first."""
    return "; ".join(_tell_check(check) for check in sorted(checks, key=lambda check: check.is_passed))


def tell_decision(decision: dict[str, Any]) -> str:
    """A row of `champions` in a sentence: what was decided, and who is champion; the reasons stand beside it."""
    champion, before = decision["champion_cell_id"], decision["previous_cell_id"]
    if decision["decision"] != "kept":
        follows = f", in place of cell {before}" if before else ", the first"
        return f"It is the champion now{follows}"
    if champion == decision["cell_id"]:
        return "It is the champion already"
    return f"It was not promoted: the champion is {f'still cell {champion}' if champion else 'nobody yet'}"


def tell_match(decision: dict[str, Any]) -> str | None:
    """How the cell fared against the champion of that day, headline by headline; None where there was none to meet."""
    before, accuracy = decision["previous_cell_id"], decision["previous_accuracy"]
    if accuracy is None or before == decision["cell_id"]:
        return None
    bounds = (decision[name] for name in ("difference", "difference_low", "difference_high"))
    return (
        f"The champion before, cell {before}, has an accuracy of {accuracy:.3f} on the {decision['n']:,} of them that "
        f"it did not learn from, and this one {decision['accuracy']:.3f}: {tell_interval(*bounds)}, "
        f"{tell_p(decision['p_value'])}"
    )


def _tell_check(check: Check) -> str:
    if check.floor == "accuracy":
        return (
            f"accuracy {tell_figure(check.value)} {_tell_side(check.value, check.bound)} the floor of {check.bound:g}"
        )
    if check.floor == "unparsed rate":
        side = "within" if check.is_passed else "above"
        return f"unparsed {tell_figure(check.value)}, {side} the {check.bound:g} allowed"
    if check.difference is None:
        return f"cannot be compared with the {check.floor} {check.rival}: {check.reason}"
    verb = "beats" if check.is_passed else "does not beat"
    figures = f"{tell_interval(*check.difference[:3])}, {tell_p(check.difference.p_value)} at level {check.level:g}"
    return f"{verb} the {check.floor} {check.rival} on {check.n} headlines: {figures}"


def _tell_side(value: float, bound: float) -> str:
    return "reaches" if value >= bound else "is below"

"""How good a model is on fresh headlines, those that it was scored on since its study, in a line."""

from reporting.verdict import tell_figure, tell_p
from schemas.scoring import FreshAccuracy, KnownDrop


def tell_fresh(found: FreshAccuracy, known: KnownDrop | None, *, is_drop: bool) -> str:
    """The accuracy on fresh headlines, whether it has dropped beyond noise, and what to do then.

    Args:
        found: The figures now.
        known: The drop of the cell that was found before.
        is_drop: Whether the figures now are a drop.
    """
    reference = f"{tell_figure(found.reference)}, the lower end of the interval of its accuracy on its own test part"
    since = f"fresh headlines: accuracy {tell_figure(found.accuracy)} on {_count(found.n)} since its study"
    earlier = f"; a drop was found on {known.found_at:%d %B %Y}, after {_count(known.n)}" if known else ""
    remedy = "; the model no longer fits this news: train again with these headlines (`fintone run`)"
    if is_drop:
        on_test = f"({tell_figure(found.test_accuracy)} on {found.test_n:,})"
        told = f"warning: {since}, below {reference} {on_test}, beyond noise ({tell_p(found.p_value)} at every look)"
        return f"{told}{earlier}{remedy}"
    told = f"{since}, no drop below {tell_figure(found.reference)} beyond noise"
    return f"warning: {told} now{earlier}{remedy}" if known else told


def _count(n: int) -> str:
    return "1 labelled headline" if n == 1 else f"{n:,} labelled headlines"

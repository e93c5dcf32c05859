"""Describes a model's accuracy on fresh headlines, those that it has scored since its study, in a line."""

from collections.abc import Mapping
from typing import Any

from reporting.verdict import format_figure, format_p_value, format_ratio
from schemas.listing import count
from schemas.scoring import FreshAccuracy, KnownDrop


def describe_fresh(found: FreshAccuracy, known: KnownDrop | None, *, is_drop: bool) -> str:
    """The accuracy on fresh headlines, whether it has dropped beyond noise, and what to do then.

    Args:
        found: The figures now.
        known: The drop of the cell that was found before.
        is_drop: Whether the figures now are a drop.
    """
    reference = f"{format_ratio(found.reference)}, the lower end of the interval of its accuracy on its own test part"
    headlines = count(found.n, "labelled headline")
    since = f"fresh headlines: accuracy {format_ratio(found.accuracy)} on {headlines} since the model's study"
    earlier = (
        f"; a drop was found on {known.found_at:%d %B %Y}, after {count(known.n, 'labelled headline')}" if known else ""
    )
    remedy = "; the model no longer fits this news: train again with these headlines (`fintone run`)"
    if is_drop:
        on_test = f"({format_ratio(found.test_accuracy)} by the likeliest labels on {found.test_n:,})"
        p_value = f"({format_p_value(found.p_value)}, valid for any number of looks)"
        return f"warning: {since} is below {reference} {on_test}, by more than noise {p_value}{earlier}{remedy}"
    text = f"{since}, no drop below {format_ratio(found.reference)} beyond noise"
    return f"warning: {text} now{earlier}{remedy}" if known else text


def describe_found_drop(drop: Mapping[str, Any]) -> str:
    """A row of `accuracy_drops` in a sentence."""
    return (
        f"On {drop['found_at']:%d %B %Y} its accuracy on {count(drop['n'], 'labelled headline')} since its study was "
        f"{format_figure(drop['accuracy'])}: beyond noise below {format_figure(drop['reference'])}, the lower end of "
        f"the interval on its own test part ({format_p_value(drop['p_value'])})."
    )

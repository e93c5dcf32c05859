"""The three sentiments. The order is that of every confusion matrix, probability column and metric."""

from enum import StrEnum


class Label(StrEnum):
    """The sentiment of a headline."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


LABELS: tuple[Label, ...] = tuple(Label)
"""All labels, in the order of columns."""

"""The three sentiments. The order is that of every confusion matrix, probability column and metric."""

from enum import StrEnum


class Label(StrEnum):
    """The sentiment of a headline."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


def fold_word(word: str) -> str:
    """A label word of a source as it is compared: without padding, case ignored."""
    return word.strip().casefold()


LABELS: tuple[Label, ...] = tuple(Label)
"""All labels, in the order of columns."""

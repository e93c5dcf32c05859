"""A scoring of headlines without labels, as it travels: who scores, what came of it, and how the answers drifted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

ANSWER_COLUMNS = (
    "row",
    "text",
    "label",
    "p_negative",
    "p_neutral",
    "p_positive",
    "p_unparsed",
    "confidence",
    "model",
    "version",
    "temperature",
)
"""Columns of a file of answers, before those of the source: `version` is the cell, `row` the source's row, from 1."""


def rename_others(others: Sequence[str]) -> dict[str, str]:
    """What other columns of a source are called in answers: as there, or with `source_` before it if that is taken."""
    taken = {name.casefold() for name in ANSWER_COLUMNS}
    renamed: dict[str, str] = {}
    for name in others:
        own = name
        while own.casefold() in taken:
            own = f"source_{own}"
        taken.add(own.casefold())
        renamed[name] = own
    return renamed


@dataclass(frozen=True)
class ScoringCounts:
    """What came of a source: its rows, and the texts among them that were scored now or known before.

    `rows_answered` are the rows that were scored, `rows_unparsed` those of them whose likeliest answer is no label, and
    `rows_truncated` those whose headline is longer than the model takes, of which the beginning was scored.
    `dates_unread` are the headlines whose date cannot be read: they are answered, and have none.
    """

    rows_read: int = 0
    rows_rejected: int = 0
    headlines_scored: int = 0
    headlines_known: int = 0
    rows_answered: int = 0
    rows_unparsed: int = 0
    rows_truncated: int = 0
    dates_unread: int = 0


class Drift(NamedTuple):
    """A measure of a scored source beside the same on the cell's test part; the difference has a 95 % interval."""

    measure: str
    n: int
    value: float
    test_n: int
    test_value: float
    difference: float
    difference_low: float | None
    difference_high: float | None
    reason: str | None
    """Why nothing can be said; the interval is None then."""

    def exceeds(self, tolerance: float) -> bool:
        """Whether the difference is larger than a tolerance, and that not by noise: its interval lies beyond."""
        if self.difference_low is None or self.difference_high is None:
            return False
        return self.difference_low > tolerance or self.difference_high < -tolerance

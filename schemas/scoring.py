"""A scoring of headlines without labels, as it travels: who scores, what came of it, how answers and accuracy moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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


class FreshCounts(NamedTuple):
    """How many labelled headlines a cell answered right since its study, and how many of its own test part."""

    right: int
    n: int
    """Fresh headlines: those with a known label that no part of the split of the cell holds, each once."""
    test_right: int
    test_n: int


@dataclass(frozen=True)
class FreshAccuracy:
    """The accuracy of a cell on fresh headlines, held against that on its own test part."""

    n: int
    accuracy: float
    reference: float
    """The lower end of the interval of `test_accuracy`."""
    test_n: int
    test_accuracy: float
    p_value: float
    """Of the hypothesis that the accuracy is the reference or more, for any number of looks."""


@dataclass(frozen=True)
class KnownDrop:
    """The drop of a cell below its reference, as it was found first."""

    found_at: datetime
    n: int
    """Fresh headlines then."""
    is_sent: bool
    """Whether a Prefect server got the event of it."""

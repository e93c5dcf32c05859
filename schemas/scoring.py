"""The results of a scoring of headlines: its counts, and how answers and accuracy have moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from schemas.label import PROBABILITIES

ANSWER_COLUMNS = (
    "row",
    "text",
    "label",
    *PROBABILITIES,
    "confidence",
    "model",
    "version",
    "temperature",
)
"""Columns of a file of answers, before those of the source: `version` is the cell, `row` the source's row, from 1."""


def rename_others(others: Sequence[str]) -> dict[str, str]:
    """The names of the other columns of a source in answers: unchanged, or with `source_` in front if that is taken."""
    taken = {name.casefold() for name in ANSWER_COLUMNS}
    renamed: dict[str, str] = {}
    for name in others:
        free = name
        while free.casefold() in taken:
            free = f"source_{free}"
        taken.add(free.casefold())
        renamed[name] = free
    return renamed


@dataclass(frozen=True)
class ScoringCounts:
    """Counts of a scored source: its rows, and its texts that were scored now or known before.

    `rows_answered` are the rows that were scored, `rows_unparsed` those of them whose likeliest answer is not a label,
    and `rows_truncated` those whose headline is longer than the model takes, so only its beginning was scored.
    `dates_unread` are the headlines whose date cannot be read: they are answered without a date.
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
    """A measure of a scored source compared with the cell's test part; the difference has a 95 % interval."""

    measure: str
    n: int
    value: float
    test_n: int
    test_value: float
    difference: float
    difference_low: float | None
    difference_high: float | None
    reason: str | None
    """Why the drift is unknown; the interval is None then."""

    def exceeds(self, tolerance: float) -> bool:
        """Whether the difference is larger than a tolerance, and not by noise: its whole interval lies beyond it."""
        if self.difference_low is None or self.difference_high is None:
            return False
        return self.difference_low > tolerance or self.difference_high < -tolerance


class FreshCounts(NamedTuple):
    """How many labelled headlines a cell has answered right since its study, and how many of its test part."""

    right: int
    n: int
    """Fresh headlines: those with a known label that the cell's study did not have, each once."""
    test_right: int
    test_n: int


@dataclass(frozen=True)
class FreshAccuracy:
    """The accuracy of a cell on fresh headlines, compared with that on its own test part."""

    n: int
    accuracy: float
    reference: float
    """The lower end of the interval of `test_accuracy`."""
    test_n: int
    test_accuracy: float
    p_value: float
    """Of the hypothesis that the accuracy is the reference or more; valid for any number of looks."""


@dataclass(frozen=True)
class KnownDrop:
    """The drop of a cell below its reference, as it was first found."""

    found_at: datetime
    n: int
    """Fresh headlines then."""
    is_sent: bool
    """Whether a Prefect server received its event."""

"""A decision on who is champion: judged by learning, told by reporting, kept by storage."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.comparison import Difference

Floor = Literal["accuracy", "unparsed rate", "best baseline", "champion"]
"""What a challenger must clear."""


@dataclass(frozen=True)
class Check:
    """One floor: what the challenger has there, and what was asked.

    Of `accuracy` and `unparsed rate`, `value` and `bound` are shares; of a rival, the two accuracies on the same
    headlines, with the `difference` that a paired test is about and the `level` that its p-value must be below; or, for
    what `reason`, none of these.
    """

    floor: Floor
    is_passed: bool
    value: float
    bound: float
    rival: str | None = None
    n: int | None = None
    difference: Difference | None = None
    level: float | None = None
    reason: str | None = None


class Champion(NamedTuple):
    """The cell that a desk uses, and the sampling temperature at which it does."""

    cell_id: str
    temperature: float

"""A decision on who is champion: made by operations and tasks, shown by reporting, kept by storage."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.comparison import Difference

Floor = Literal["accuracy", "unparsed rate", "best baseline", "champion"]
"""What a challenger must clear."""
CHAMPION = "champion"
"""The word for the champion now, in place of the id of a cell."""
CHAMPIONS = "champions"
"""The word for all champions, each for the time in which it was champion."""


@dataclass(frozen=True)
class Check:
    """One floor: the value of the challenger, and the bound.

    For `accuracy` and `unparsed rate`, `value` and `bound` are shares. For a rival, they are the two accuracies on the
    same headlines, with the `difference` that a paired test is about and the `level` that its p-value must be below;
    where the two cannot be compared, `reason` says why.
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


class Look(NamedTuple):
    """An earlier judgement by the gate that read figures of the same test headlines, or of some of them."""

    share: float
    """Share, from 0 to 1, of the headlines that judge now that were in the snapshot of the earlier judgement."""
    promotion_level: float
    """The level that all looks at its headlines had together."""


class Allowance(NamedTuple):
    """What a judgement may spend of the level that all looks at the same test headlines have together."""

    look: float
    """Which look it is, from 1; a fraction where some of the headlines are new."""
    promotion_level: float
    level: float
    """The level that each p-value of this judgement must be below."""

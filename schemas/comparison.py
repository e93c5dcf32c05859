"""How two cells differ on the same headlines, as numbers: read by storage, shown by reporting and the command line."""

from typing import NamedTuple

SIGNIFICANCE = 0.05
"""A p-value below this is significant; the view `comparisons` uses the same threshold."""

LEAST_DISCORDANT = 3
"""The least number of headlines that only one of two models has right for their difference to have an interval. With
fewer, too few outcomes are possible for any interval to come near 95 %: it would nearly always hold the truth. A larger
bound would show intervals only where luck made the models differ more than they do, and those hold it in less than
95 %."""

LEAST_OF_A_LABEL = 10
"""The least number of headlines of each label for a macro-F1 to have an interval: with fewer, one mistake moves the F1
of that label too far for any interval to hold its level."""


class Difference(NamedTuple):
    """An accuracy less another on the same headlines, with its 95 % interval and the exact p-value of McNemar's test.

    Where a model answers each fold, the interval is no narrower, and the p-value no smaller, than by fold.
    `low` and `high` are None where too few headlines tell the two apart for an interval. `p_holm` is corrected for all
    `pairs` of the study that holds both cells; both are None where there is none.
    """

    value: float
    low: float | None
    high: float | None
    p_value: float
    p_holm: float | None = None
    pairs: int | None = None

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 0 and the p-value, corrected where it can be, is below `SIGNIFICANCE`."""
        p_value = self.p_value if self.p_holm is None else self.p_holm
        if self.low is None or self.high is None:
            return False
        return p_value < SIGNIFICANCE and not self.low <= 0 <= self.high

    @property
    def mirrored(self) -> "Difference":
        """The difference the other way round."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return self._replace(value=-self.value, low=low, high=high)


class BaselineVerdict(NamedTuple):
    """A cell at a temperature, compared with the best baseline of its study."""

    temperature: float
    baseline_cell_id: str
    baseline: str
    accuracy: float
    baseline_accuracy: float
    difference: Difference
    beats_baseline: bool


class Flip(NamedTuple):
    """A headline for which two cells predict different labels."""

    headline_id: str
    text: str
    label: str
    predicted: str
    other_predicted: str

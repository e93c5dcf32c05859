"""Models on the same headlines, two by two: what differs, and how sure that is.

Labels are numbered as in `schemas.label.LABELS`. Loads no heavy library, so that a person who asks is answered at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from learning.study.confusion import count_confusion, macro_f1
from learning.study.intervals import paired_interval, paired_macro_f1_interval

Labels = NDArray[np.int64]

Run = tuple[str, float | None]
"""What predicts: a cell at a temperature; a baseline, which does not sample, has none."""


@dataclass(frozen=True)
class Comparison:
    """How a model differs from another; a difference is its figure less the other's.

    Intervals are at 95 %; their ends are None where too few headlines tell the models apart for one to hold that level
    (`learning.study.intervals`).
    """

    n: int
    accuracy: float
    other_accuracy: float
    difference: float
    difference_low: float | None
    difference_high: float | None
    macro_f1_difference: float
    macro_f1_difference_low: float | None
    macro_f1_difference_high: float | None
    only_right: int
    only_other_right: int
    p_value: float


def compare(labels: Labels, predicted: Labels, other_predicted: Labels) -> Comparison:
    """Compare two models headline by headline: intervals of both differences, and McNemar's exact test.

    The other way round gives the mirror image.

    Args:
        labels: [N] true labels, at least one.
        predicted: [N] labels that the model predicts.
        other_predicted: [N] labels that the other model predicts.
    """
    n, right, other_right = len(labels), predicted == labels, other_predicted == labels
    only_right, only_other_right = int((right & ~other_right).sum()), int((other_right & ~right).sum())
    of_f1 = macro_f1(count_confusion(labels, predicted)) - macro_f1(count_confusion(labels, other_predicted))
    low, high = paired_interval(only_right, only_other_right, n) or (None, None)
    f1_low, f1_high = paired_macro_f1_interval(of_f1, labels, predicted, other_predicted) or (None, None)
    return Comparison(
        n=n,
        accuracy=float(right.mean()),
        other_accuracy=float(other_right.mean()),
        difference=(only_right - only_other_right) / n,
        difference_low=low,
        difference_high=high,
        macro_f1_difference=of_f1,
        macro_f1_difference_low=f1_low,
        macro_f1_difference_high=f1_high,
        only_right=only_right,
        only_other_right=only_other_right,
        p_value=mcnemar(only_right, only_other_right),
    )


def compare_all(labels: Labels, predictions: Mapping[Run, Labels]) -> list[tuple[Run, Run, Comparison]]:
    """Compare each pair of cells at each temperature that both have; a baseline meets the others at each of theirs.

    Args:
        labels: [N] true labels, at least one.
        predictions: Runs to the [N] labels that they predict.
    """
    return [
        (run, other, compare(labels, predictions[run], predictions[other]))
        for run, other in combinations(predictions, 2)
        if run[0] != other[0] and (run[1] == other[1] or None in {run[1], other[1]})
    ]


def mcnemar(only_right: int, only_other_right: int) -> float:
    """The exact two-sided p-value of McNemar's test (McNemar 1947); 1 where no headline tells the models apart.

    Under the hypothesis a headline that one model alone has right is as likely the one's as the other's: twice the
    lower tail of a binomial with p = 1/2, summed in whole numbers and so rounded once.
    """
    n, term, tail = only_right + only_other_right, 1, 0
    for hits in range(min(only_right, only_other_right) + 1):
        tail += term
        term = term * (n - hits) // (hits + 1)
    return min(1.0, 2 * tail / (1 << n))

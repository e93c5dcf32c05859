"""Compares models on the same headlines, two at a time: differences, their intervals and tests.

Labels are numbered as in `schemas.label.LABELS`. Loads no heavy library, so `fintone compare` answers at once.
"""

import math
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from learning.study.confusion import count_confusion, macro_f1
from learning.study.fold_bootstrap import ResampledFigures, find_spread, resample, student_p_value, widen_interval
from learning.study.intervals import paired_interval, paired_macro_f1_interval

Labels = NDArray[np.int64]

MOST_EXACT = 5_000
"""Most headlines that McNemar's test sums in whole numbers, whose length grows with them: more take seconds a pair."""
Run = tuple[str, float | None]
"""A cell and its temperature, which is None for a baseline: it does not sample."""


@dataclass(frozen=True)
class Comparison:
    """The differences between two models; each is the first one's figure minus the other's.

    Intervals are at 95 %; their ends are None if the models differ on too few headlines to hold that level
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


def compare(labels: Labels, predicted: Labels, other_predicted: Labels, *folds: Labels) -> Comparison:
    """Compare two models headline by headline: intervals of both differences, and McNemar's exact test.

    Where each fold has a model of its own, both intervals are at least as wide as those of the cluster bootstrap over
    folds (`learning.study.fold_bootstrap`), and the p-value is at least that of its Student's test. Swapping the models
    gives the mirror image.

    Args:
        labels: [N] true labels, at least one.
        predicted: [N] labels that the model predicts.
        other_predicted: [N] labels that the other model predicts.
        folds: [N] the fold of each headline, from 0, at least two; none if one model answers all headlines, and two if
            the models were trained on different folds.
    """
    compared = _compare_by_headline(labels, predicted, other_predicted)
    resampled = [(resample(labels, predicted, each), resample(labels, other_predicted, each)) for each in folds]
    return _widen(compared, *resampled) if resampled else compared


def compare_all(
    labels: Labels,
    predictions: Mapping[Run, Labels],
    folds: Labels | None = None,
    undivided: Collection[str] = frozenset(),
) -> list[tuple[Run, Run, Comparison]]:
    """Compare each pair of cells at each temperature that both have, and baselines with others at each of theirs.

    Args:
        labels: [N] true labels, at least one.
        predictions: For each run, the [N] labels that it predicts.
        folds: [N] the fold of each headline, from 0, at least two; None for a single split.
        undivided: Cells that answer all folds with one model. Two of them are compared as on a single split.
    """
    resampled = {} if folds is None else {run: resample(labels, each, folds) for run, each in predictions.items()}
    rows = []
    for run, other in combinations(predictions, 2):
        if run[0] == other[0] or not (run[1] == other[1] or None in {run[1], other[1]}):
            continue
        compared = _compare_by_headline(labels, predictions[run], predictions[other])
        if resampled and not {run[0], other[0]} <= set(undivided):
            compared = _widen(compared, (resampled[run], resampled[other]))
        rows.append((run, other, compared))
    return rows


def _compare_by_headline(labels: Labels, predicted: Labels, other_predicted: Labels) -> Comparison:
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


def _widen(compared: Comparison, *resampled: tuple[ResampledFigures, ResampledFigures]) -> Comparison:
    """A comparison by headline, no surer than one by fold; an interval that is missing stays so."""
    accuracy = find_spread(*((own.accuracy - other.accuracy, own.folds) for own, other in resampled))
    f1 = find_spread(*((own.macro_f1 - other.macro_f1, own.folds) for own, other in resampled))
    low, high, f1_low, f1_high = (
        compared.difference_low,
        compared.difference_high,
        compared.macro_f1_difference_low,
        compared.macro_f1_difference_high,
    )
    if low is not None and high is not None:
        low, high = widen_interval(compared.difference, (low, high), accuracy, -1.0)
    if f1_low is not None and f1_high is not None:
        f1_low, f1_high = widen_interval(compared.macro_f1_difference, (f1_low, f1_high), f1, -1.0)
    return replace(
        compared,
        difference_low=low,
        difference_high=high,
        macro_f1_difference_low=f1_low,
        macro_f1_difference_high=f1_high,
        p_value=max(compared.p_value, student_p_value(compared.difference, accuracy)),
    )


def mcnemar(only_right: int, only_other_right: int) -> float:
    """The exact two-sided p-value of McNemar's test (McNemar 1947); 1 if the models are right on the same headlines.

    Under the hypothesis, a headline that only one model has right is equally likely to be either model's. The p-value
    is twice the lower tail of a binomial with p = 1/2. Up to `MOST_EXACT` headlines it is summed in whole numbers and
    therefore rounded only once; beyond, its relative error is below 1e-8.
    """
    n, fewer = only_right + only_other_right, min(only_right, only_other_right)
    if n > MOST_EXACT:
        return min(1.0, 2 * _tail(fewer, n))
    term, tail = 1, 0
    for hits in range(fewer + 1):
        tail += term
        term = term * (n - hits) // (hits + 1)
    return min(1.0, 2 * tail / (1 << n))


def _tail(hits: int, n: int) -> float:
    """P(X <= hits) of a binomial with p = 1/2, hits <= n / 2, summed from its largest term down."""
    log_term = math.lgamma(n + 1) - math.lgamma(hits + 1) - math.lgamma(n - hits + 1) - n * math.log(2)
    term = tail = 1.0
    while term > tail * sys.float_info.epsilon:
        term *= hits / (n - hits + 1)
        tail += term
        hits -= 1
    return math.exp(log_term) * tail

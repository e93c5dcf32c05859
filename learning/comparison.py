"""Models on the same headlines, two by two: what differs, and how sure that is. Knows arrays of label numbers.

Labels are numbered as in `schemas.label.LABELS`. Loads no heavy library, so that a person who asks is answered at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from learning.metrics import CONFIDENCE, RESAMPLES, macro_f1
from schemas.label import LABELS

RESAMPLING_SEED = 42
"""Of every bootstrap here, so that the same predictions have the same interval in every study and on every day."""

WEIGHTS_AT_ONCE = 2**22
"""Resampled headlines that are held in memory together."""

Labels = NDArray[np.int64]

Run = tuple[str, float | None]
"""What predicts: a cell at a temperature; a baseline, which does not sample, has none."""


@dataclass(frozen=True)
class Comparison:
    """How a model differs from another; a difference is its figure less the other's, an interval at 95 %."""

    n: int
    accuracy: float
    other_accuracy: float
    difference: float
    difference_low: float
    difference_high: float
    macro_f1_difference: float
    macro_f1_difference_low: float
    macro_f1_difference_high: float
    only_right: int
    only_other_right: int
    p_value: float


@dataclass(frozen=True)
class _Figures:
    """One model's accuracy and macro-F1, each as measured and on every resample."""

    right: NDArray[np.bool_]
    accuracy: float
    accuracies: NDArray[np.float64]
    macro_f1: float
    macro_f1s: NDArray[np.float64]


def compare(labels: Labels, predicted: Labels, other_predicted: Labels, seed: int) -> Comparison:
    """Compare two models headline by headline.

    Intervals are percentiles of a bootstrap over headlines that keeps the pairs together (Efron 1979); the p-value is
    that of McNemar's exact test. The other way round gives the mirror image.

    Args:
        labels: [N] true labels, at least one.
        predicted: [N] labels that the model predicts.
        other_predicted: [N] labels that the other model predicts.
        seed: Of the bootstrap. It draws positions, so that the headlines' order counts too.
    """
    return _contrast(*_measure_resampled(labels, [predicted, other_predicted], seed))


def compare_all(labels: Labels, predictions: Mapping[Run, Labels], seed: int) -> list[tuple[Run, Run, Comparison]]:
    """Compare each pair of cells at each temperature that both have; a baseline meets the others at each of theirs.

    All of them see the same resamples, so that each comparison is what `compare` gives of it alone.

    Args:
        labels: [N] true labels, at least one.
        predictions: Runs to the [N] labels that they predict.
        seed: Of the bootstrap.
    """
    measured = dict(zip(predictions, _measure_resampled(labels, list(predictions.values()), seed), strict=True))
    return [
        (run, other, _contrast(measured[run], measured[other]))
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


def _contrast(own: _Figures, other: _Figures) -> Comparison:
    only_right, only_other_right = int((own.right & ~other.right).sum()), int((other.right & ~own.right).sum())
    return Comparison(
        len(own.right),
        own.accuracy,
        other.accuracy,
        (only_right - only_other_right) / len(own.right),
        *_interval(own.accuracies - other.accuracies),
        own.macro_f1 - other.macro_f1,
        *_interval(own.macro_f1s - other.macro_f1s),
        only_right,
        only_other_right,
        mcnemar(only_right, only_other_right),
    )


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def _measure_resampled(labels: Labels, predictions: list[Labels], seed: int) -> list[_Figures]:
    """Measure M models on the headlines and on resamples of them, the same for all.

    How often each resample holds each headline, times which cell of a model's confusion matrix each headline is in, is
    the model's confusion matrix on each resample: a product of matrices. float32 counts exactly up to 2^24 headlines.
    """
    kinds = len(LABELS) ** 2
    members = [
        (labels * len(LABELS) + predicted)[:, None] == np.arange(kinds) for predicted in predictions
    ]  # M of [N, 9]
    resampled = [np.empty((RESAMPLES, kinds), dtype=np.int64) for _ in predictions]
    random, done, at_once = np.random.default_rng(seed), 0, max(1, WEIGHTS_AT_ONCE // len(labels))
    while done < RESAMPLES:
        weights = _draw_weights(random, min(at_once, RESAMPLES - done), len(labels))
        for confusions, member in zip(resampled, members, strict=True):
            confusions[done : done + len(weights)] = weights @ member.astype(np.float32)
        done += len(weights)
    return [
        _Figures(
            right=predicted == labels,
            accuracy=float((predicted == labels).mean()),
            accuracies=_accuracy(confusions),
            macro_f1=float(macro_f1(member.sum(axis=0)[None])[0]),
            macro_f1s=macro_f1(confusions),
        )
        for predicted, member, confusions in zip(predictions, members, resampled, strict=True)
    ]


def _draw_weights(random: np.random.Generator, count: int, n: int) -> NDArray[np.float32]:
    """How often each of `count` resamples of n headlines holds each of them: [count, n]."""
    drawn = random.integers(n, size=(count, n)) + n * np.arange(count)[:, None]
    return np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n).astype(np.float32)


def _accuracy(confusions: NDArray[np.int64]) -> NDArray[np.float64]:
    """[R] accuracies of [R, 9] confusions."""
    return np.asarray(confusions[:, :: len(LABELS) + 1].sum(axis=1) / confusions.sum(axis=1))

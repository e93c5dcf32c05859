"""The cluster bootstrap over folds: one model answers all headlines of a fold, so its answers are not independent.

Folds are drawn with replacement, each with all its headlines (Davison and Hinkley 1997, section 3.8; Field and Welsh
2007). The bootstrap gives the standard error, which is raised by sqrt(k / (k - 1)) and taken with Student's t of k - 1
degrees of freedom, since k is small (Cameron, Gelbach and Miller 2008). Loads scipy only where there are folds.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from learning.study.confusion import find_present
from learning.study.intervals import CONFIDENCE, Interval
from schemas.label import LABELS

RESAMPLES = 2_000
SEED = 42


@dataclass(frozen=True)
class ResampledFigures:
    """What a model scores on each of R resamples of k folds; models of one study have the same resamples."""

    folds: int
    accuracy: NDArray[np.float64]
    macro_f1: NDArray[np.float64]


def resample(labels: NDArray[np.int64], predicted: NDArray[np.int64], folds: NDArray[np.int64]) -> ResampledFigures:
    """Score a model on every resample of folds.

    Args:
        labels: [N] true labels.
        predicted: [N] labels that the model predicts.
        folds: [N] the fold of each headline, from 0; every fold has a headline.
    """
    counts = count_by_fold(labels, predicted, folds)
    drawn = draw_folds(len(counts))
    hits = counts.diagonal(axis1=1, axis2=2).sum(axis=1)
    macro_f1 = macro_f1_of_each(np.tensordot(drawn, counts, axes=1), find_present(counts.sum(axis=0)))
    return ResampledFigures(len(counts), drawn @ hits / (drawn @ np.bincount(folds)), macro_f1)


def count_by_fold(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], folds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """[k, 3, 3] headlines by fold, true label and predicted label."""
    size, k = len(LABELS), int(folds.max()) + 1
    places = (folds * size + labels) * size + predicted
    return np.bincount(places, minlength=k * size * size).reshape(k, size, size)


@lru_cache(maxsize=8)  # the cells of a study have the same folds
def draw_folds(folds: int) -> NDArray[np.int64]:
    """[R, k] how often each resample contains each of k folds; read-only."""
    drawn = np.random.default_rng(SEED).multinomial(folds, [1 / folds] * folds, RESAMPLES)
    drawn.flags.writeable = False
    return drawn


def macro_f1_of_each(counts: NDArray[np.int64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[R] macro-F1 of [R, 3, 3] confusion matrices, over the labels that are marked as present."""
    total = counts.sum(axis=1) + counts.sum(axis=2)
    hits = 2 * counts.diagonal(axis1=1, axis2=2)
    scores = np.divide(hits, total, out=np.zeros(total.shape), where=total > 0)
    return np.asarray(scores[:, present].mean(axis=1))


def widen_interval(
    value: float, interval: Interval, resampled: NDArray[np.float64], folds: int, least: float = 0.0
) -> Interval:
    """At each end, the wider of an interval and Student's interval by fold, which is clipped to `least` and 1.

    Args:
        value: The figure of all headlines.
        interval: Its interval over headlines.
        resampled: [R] the figure of each resample.
        folds: How many folds there are, at least 2.
        least: The least that the figure can be: 0, or -1 for a difference.
    """
    from scipy.special import stdtrit

    width = _find_error(resampled, folds) * float(stdtrit(folds - 1, (1 + CONFIDENCE) / 2))
    return min(interval[0], max(least, value - width)), max(interval[1], min(1.0, value + width))


def student_p_value(value: float, resampled: NDArray[np.float64], folds: int) -> float:
    """The two-sided p-value of Student's test by fold that a figure is 0; 0 if all resamples have the same figure."""
    from scipy.special import stdtr

    error = _find_error(resampled, folds)
    return 2 * float(stdtr(folds - 1, -abs(value) / error)) if error > 0 else 0.0


def _find_error(resampled: NDArray[np.float64], folds: int) -> float:
    return float(resampled.std()) * math.sqrt(folds / (folds - 1))

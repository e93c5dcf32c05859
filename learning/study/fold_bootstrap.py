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

from learning.study.confusion import f1_scores, find_present
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


@dataclass(frozen=True)
class Spread:
    """The standard error of a figure by fold, and the degrees of freedom of its Student's t."""

    error: float
    freedom: int


def resample(labels: NDArray[np.int64], predicted: NDArray[np.int64], folds: NDArray[np.int64]) -> ResampledFigures:
    """Score a model on every resample of folds.

    Args:
        labels: [N] true labels.
        predicted: [N] labels that the model predicts.
        folds: [N] the fold of each headline, from 0; every fold has a headline.
    """
    counts = count_by_fold(labels, predicted, folds)
    drawn = draw_resamples(len(counts))
    hits = counts.diagonal(axis1=1, axis2=2).sum(axis=1)
    scores = f1_scores(np.tensordot(drawn, counts, axes=1))
    macro_f1 = np.asarray(scores[:, find_present(counts.sum(axis=0))].mean(axis=1))
    return ResampledFigures(len(counts), drawn @ hits / (drawn @ np.bincount(folds)), macro_f1)


def count_by_fold(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], folds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """[k, 3, 3] headlines by fold, true label and predicted label."""
    size, k = len(LABELS), int(folds.max()) + 1
    places = (folds * size + labels) * size + predicted
    return np.bincount(places, minlength=k * size * size).reshape(k, size, size)


@lru_cache(maxsize=8)  # the cells of a study have the same folds
def draw_resamples(folds: int) -> NDArray[np.int64]:
    """[R, k] how often each resample contains each of k folds; read-only."""
    drawn = np.random.default_rng(SEED).multinomial(folds, [1 / folds] * folds, RESAMPLES)
    drawn.flags.writeable = False
    return drawn


def find_spread(*resampled: tuple[NDArray[np.float64], int]) -> Spread:
    """The spread of a figure, from its [R] resamples and the number of folds, at least 2.

    Two models may have been trained on different folds. Then there are resamples of each one's folds, and the squared
    errors are added: each has the variation between the models of one side. Both have that of the headlines, so the sum
    is rather too large than too small.
    """
    errors = (float(figures.std()) * math.sqrt(folds / (folds - 1)) for figures, folds in resampled)
    return Spread(math.hypot(*errors), min(folds for _, folds in resampled) - 1)


def widen_interval(value: float, interval: Interval, spread: Spread, least: float = 0.0) -> Interval:
    """At each end, the wider of an interval and Student's interval by fold, which is clipped to `least` and 1.

    Args:
        value: The figure of all headlines.
        interval: Its interval over headlines.
        spread: Its spread by fold.
        least: The least that the figure can be: 0, or -1 for a difference.
    """
    from scipy.special import stdtrit

    width = spread.error * float(stdtrit(spread.freedom, (1 + CONFIDENCE) / 2))
    return min(interval[0], max(least, value - width)), max(interval[1], min(1.0, value + width))


def student_p_value(value: float, spread: Spread) -> float:
    """The two-sided p-value of Student's test by fold that a figure is 0; 0 if all resamples have the same figure."""
    from scipy.special import stdtr

    return 2 * float(stdtr(spread.freedom, -abs(value) / spread.error)) if spread.error > 0 else 0.0

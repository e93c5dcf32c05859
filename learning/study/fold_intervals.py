"""Intervals of figures that pool folds: wide enough for the variation of headlines and of folds.

One model answers all headlines of a fold, so its answers are not independent.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from learning.study.confusion import count_confusion, find_present
from learning.study.intervals import CONFIDENCE, Interval
from learning.study.metrics import Metrics
from learning.study.unparsed import parsed_labels, with_unparsed

RESAMPLES = 2_000
SEED = 42


def widen(
    metrics: Metrics,
    labels: NDArray[np.int64],
    outcomes: NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
    folds: NDArray[np.int64],
) -> Metrics:
    """Figures with the intervals of a cluster bootstrap by fold where those are wider than the intervals by headline.

    Folds are drawn with replacement, each with all its headlines (Davison and Hinkley 1997, section 3.8; Field and
    Welsh 2007). The bootstrap gives the standard error. The interval is that of Student's t with k - 1 degrees of
    freedom, and the error is raised by sqrt(k / (k - 1)), since k is small (Cameron, Gelbach and Miller 2008).

    Args:
        metrics: The figures of all headlines, with the intervals of `learning.study.metrics.measure`.
        labels: [N] true labels.
        outcomes: [N] outcomes, including `UNPARSED`.
        probabilities: [N, 4] that they were sampled from; None for a model without probabilities.
        folds: [N] the fold of each headline, from 0; every fold has a headline.
    """
    drawn = draw_folds(int(folds.max()) + 1)
    size = np.bincount(folds)
    counts = np.stack([count_confusion(labels[rows], parsed_labels(outcomes[rows])) for rows in _rows(folds)])
    f1 = macro_f1_of_each(np.tensordot(drawn, counts, axes=1), find_present(counts.sum(axis=0)))
    hits = counts.diagonal(axis1=1, axis2=2).sum(axis=1)
    right = hits if probabilities is None else np.bincount(folds, with_unparsed(probabilities)[_at(labels)])
    accuracy = _widen(
        metrics.accuracy, (metrics.accuracy_low, metrics.accuracy_high), drawn @ hits / (drawn @ size), len(size)
    )
    expected = _widen(
        metrics.expected_accuracy,
        (metrics.expected_accuracy_low, metrics.expected_accuracy_high),
        drawn @ right / (drawn @ size),
        len(size),
    )
    f1_bounds: tuple[float | None, float | None] = (None, None)
    if metrics.macro_f1_low is not None and metrics.macro_f1_high is not None:
        f1_bounds = _widen(metrics.macro_f1, (metrics.macro_f1_low, metrics.macro_f1_high), f1, len(size))
    return replace(
        metrics,
        accuracy_low=accuracy[0],
        accuracy_high=accuracy[1],
        expected_accuracy_low=expected[0],
        expected_accuracy_high=expected[1],
        macro_f1_low=f1_bounds[0],
        macro_f1_high=f1_bounds[1],
    )


def draw_folds(folds: int) -> NDArray[np.int64]:
    """[R, k] how often each resample contains each of k folds."""
    return np.random.default_rng(SEED).multinomial(folds, [1 / folds] * folds, RESAMPLES)


def macro_f1_of_each(counts: NDArray[np.int64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[R] macro-F1 of [R, 3, 3] confusion matrices, over the labels that are marked as present."""
    total = counts.sum(axis=1) + counts.sum(axis=2)
    hits = 2 * counts.diagonal(axis1=1, axis2=2)
    scores = np.divide(hits, total, out=np.zeros(total.shape), where=total > 0)
    return np.asarray(scores[:, present].mean(axis=1))


def _rows(folds: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    return [folds == fold for fold in range(int(folds.max()) + 1)]


def _at(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.arange(len(labels)), labels


def _widen(value: float, interval: Interval, resampled: NDArray[np.float64], folds: int) -> Interval:
    """At each end, the wider of an interval and that of the folds."""
    from scipy.special import stdtrit

    error = float(resampled.std()) * math.sqrt(folds / (folds - 1))
    width = error * float(stdtrit(folds - 1, (1 + CONFIDENCE) / 2))
    return max(0.0, min(interval[0], value - width)), min(1.0, max(interval[1], value + width))

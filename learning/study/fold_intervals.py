"""Intervals of figures that pool folds: wide enough for the variation of headlines and of folds."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from learning.study.fold_bootstrap import draw_resamples, find_spread, resample, widen_interval
from learning.study.metrics import Metrics
from learning.study.unparsed import parsed_labels, true_label_probabilities


def widen(
    metrics: Metrics,
    labels: NDArray[np.int64],
    outcomes: NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
    folds: NDArray[np.int64],
) -> Metrics:
    """Figures with the intervals of a cluster bootstrap by fold where those are wider than the intervals by headline.

    Args:
        metrics: The figures of all headlines, with the intervals of `learning.study.metrics.measure`.
        labels: [N] true labels.
        outcomes: [N] outcomes, including `UNPARSED`.
        probabilities: [N, 4] that they were sampled from; None for a model without probabilities.
        folds: [N] the fold of each headline, from 0; every fold has a headline.
    """
    size = np.bincount(folds)
    drawn, resampled = draw_resamples(len(size)), resample(labels, parsed_labels(outcomes), folds)
    accuracy = widen_interval(
        metrics.accuracy, (metrics.accuracy_low, metrics.accuracy_high), find_spread((resampled.accuracy, len(size)))
    )
    expected = resampled.accuracy
    if probabilities is not None:
        right = np.bincount(folds, true_label_probabilities(labels, probabilities))
        expected = drawn @ right / (drawn @ size)
    expected_bounds = widen_interval(
        metrics.expected_accuracy,
        (metrics.expected_accuracy_low, metrics.expected_accuracy_high),
        find_spread((expected, len(size))),
    )
    f1_bounds: tuple[float | None, float | None] = (None, None)
    if metrics.macro_f1_low is not None and metrics.macro_f1_high is not None:
        f1_interval = metrics.macro_f1_low, metrics.macro_f1_high
        f1_bounds = widen_interval(metrics.macro_f1, f1_interval, find_spread((resampled.macro_f1, len(size))))
    return replace(
        metrics,
        accuracy_low=accuracy[0],
        accuracy_high=accuracy[1],
        expected_accuracy_low=expected_bounds[0],
        expected_accuracy_high=expected_bounds[1],
        macro_f1_low=f1_bounds[0],
        macro_f1_high=f1_bounds[1],
    )

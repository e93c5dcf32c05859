"""95 % intervals that hold their level at small n and at shares near 0 or 1.

`docs/numbers.md` has the coverage of each in simulation. Labels are numbered as in `schemas.label.LABELS`. No heavy
library is loaded.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from learning.study.confusion import Counts, count_confusion, f1_scores, find_present, macro_f1
from schemas.comparison import LEAST_DISCORDANT, LEAST_OF_A_LABEL
from schemas.label import LABELS

CONFIDENCE = 0.95
Z = 1.959963984540054
"""The normal quantile of a two-sided interval at 95 %."""

PRIOR_MISSES = 3
"""With this many misses, the variance ratio of `mean_interval` is about halfway between the sample's and 1."""

BISECTIONS = 60
"""How often [-1, 1] is halved: enough to get below the precision of a double."""

Interval = tuple[float, float]


def wilson(share: float, n: float, z: float = Z) -> Interval:
    """The score interval of a proportion (Wilson 1927).

    Args:
        share: Observed share, 0 to 1.
        n: Number of observations, or the effective sample size.
        z: Normal or Student quantile.
    """
    centre, width = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    scale = 1 + z * z / n
    return max(0.0, float(centre - width) / scale), min(1.0, float(centre + width) / scale)


def accuracy_interval(hits: int, n: int) -> Interval:
    """The interval of an accuracy: Wilson's, or the exact one-sided bound if all or none are right.

    In that case only one side is uncertain and gets all of the 5 % (Hanley and Lippman-Hand 1983).

    Args:
        hits: Number of headlines that were answered right.
        n: Number of all headlines, at least one.
    """
    bound = (1 - CONFIDENCE) ** (1 / n)
    if hits == n:
        return bound, 1.0
    if hits == 0:
        return 0.0, 1 - bound
    return wilson(hits / n, n)


def macro_f1_interval(counts: NDArray[np.int64]) -> Interval | None:
    """The interval of macro-F1; None if a label that is present has fewer than `LEAST_OF_A_LABEL` headlines.

    Wilson's formula with an effective sample size: the number of observations with which a proportion has the variance
    of macro-F1 (Korn and Graubard 1998; Franco et al. 2019). That variance is the delta method's (Takahashi et al.
    2022). It is computed from the confusion matrix with one more headline, spread over the cells of the labels that are
    present (nine for three labels), so it is not 0 if all answers are right.

    Args:
        counts: [3, 3] headlines by true label and predicted label.
    """
    present = find_present(counts)
    if not present.any() or counts.sum(axis=1)[present].min() < LEAST_OF_A_LABEL:
        return None
    smoothed = counts + present[:, None] / (present.sum() * len(LABELS))
    share, influence = macro_f1(smoothed), macro_f1_influence(smoothed)
    variance = float((smoothed / smoothed.sum() * influence**2).sum())  # the mean of the influence is 0
    return wilson(macro_f1(counts), float(counts.sum()) * share * (1 - share) / variance)


def mean_interval(values: NDArray[np.float64]) -> Interval:
    """The interval of the mean of probabilities.

    Wilson's formula with an effective sample size and Student's quantile. The size is n over the variance ratio: the
    sample's variance over m (1 - m), the variance of right and wrong answers with the same mean m. If only few values
    are far from 1 (or from 0), as when a confident model is seldom wrong, the sample's variance is unreliable. So the
    ratio r becomes r + w (1 - r), with w = c / (k + c) * (1 - k / n)^3. Here k is Kish's effective number of
    misses, (sum d)^2 / sum d^2 of the distances d from 1 (or from 0, if fewer), and c is `PRIOR_MISSES`.

    Args:
        values: [N] probabilities, at least one.
    """
    from scipy.special import stdtrit

    n, mean = len(values), float(values.mean())
    bound = mean * (1 - mean)
    if n == 1 or bound <= 0:
        return accuracy_interval(round(mean * n), n)
    ratio = min(float(values.var(ddof=1)) / bound, 1.0)
    misses = min(_effective_number(1 - values), _effective_number(values))
    ratio += PRIOR_MISSES / (misses + PRIOR_MISSES) * (1 - misses / n) ** 3 * (1 - ratio)
    return wilson(mean, n / max(ratio, 1e-9), float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)))


@lru_cache(maxsize=65_536)  # the interval of macro-F1 needs it again, and many pairs of cells have the same counts
def paired_interval(only_right: int, only_other_right: int, n: int) -> Interval | None:
    """The score interval of the difference of two accuracies on the same headlines (Tango 1998).

    Args:
        only_right: Headlines that only the first model has right.
        only_other_right: Headlines that only the second has right.
        n: All headlines.

    Returns:
        None if exactly one model is right on fewer than `LEAST_DISCORDANT` headlines.
    """
    if only_right + only_other_right < LEAST_DISCORDANT:
        return None
    return _solve(only_right, only_other_right, n, Z), _solve(only_right, only_other_right, n, -Z)


def paired_macro_f1_interval(
    difference: float, labels: NDArray[np.int64], predicted: NDArray[np.int64], other_predicted: NDArray[np.int64]
) -> Interval | None:
    """The interval of the difference of two macro-F1 on the same headlines.

    The interval of the accuracies (`paired_interval`), moved to this difference and stretched on each side by the ratio
    of the two standard errors: the method of variance estimates recovery (Zou and Donner 2008).

    Args:
        difference: Macro-F1 of the first model minus that of the second.
        labels: [N] true labels.
        predicted: [N] labels of the first model.
        other_predicted: [N] labels of the second.

    Returns:
        None if the accuracies have no interval, or a label has fewer than `LEAST_OF_A_LABEL` headlines.
    """
    right, other_right = predicted == labels, other_predicted == labels
    only_right, only_other_right = int((right & ~other_right).sum()), int((other_right & ~right).sum())
    accuracies = paired_interval(only_right, only_other_right, len(labels))
    if accuracies is None or np.unique(labels, return_counts=True)[1].min() < LEAST_OF_A_LABEL:
        return None
    first, other = (
        macro_f1_influence(count_confusion(labels, answers))[labels, answers]
        for answers in (predicted, other_predicted)
    )
    of_accuracy = float(np.var(right * 1.0 - other_right))
    stretch = math.sqrt(float(np.var(first - other)) / of_accuracy) if of_accuracy > 0 else 1.0
    centre, (low, high) = (only_right - only_other_right) / len(labels), accuracies
    return difference - stretch * (centre - low), difference + stretch * (high - centre)


def macro_f1_influence(counts: Counts) -> NDArray[np.float64]:
    """The influence function of macro-F1: the effect of one more headline in a cell of a confusion matrix, times n.

    Args:
        counts: [3, 3] headlines by true label and predicted label.

    Returns:
        [3, 3]; its mean over all headlines is 0. Answering a label that no headline has only lowers the F1 of others.
    """
    total, present = counts.sum(axis=0) + counts.sum(axis=1), find_present(counts)
    weight = np.divide(counts.sum(), present.sum() * total, out=np.zeros(len(LABELS)), where=present)
    lost = weight * f1_scores(counts)
    return np.asarray(2 * np.diag(weight) - lost[:, None] - lost[None, :])


def _effective_number(distances: NDArray[np.float64]) -> float:
    """Kish's effective number: N for N equal distances, 1 if one dwarfs all others, 0 if all are 0."""
    squares = float((distances**2).sum())
    return float(distances.sum()) ** 2 / squares if squares > 0 else 0.0


def _solve(only_right: int, only_other_right: int, n: int, z: float) -> float:
    """The difference at which Tango's score is `z`; the score falls as the difference grows."""
    low, high = -1.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if _score(only_right, only_other_right, n, middle) > z:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score(only_right: int, only_other_right: int, n: int, difference: float) -> float:
    """Tango's score of a difference: its distance from the observed one, in standard errors under that difference.

    The standard error needs the share of headlines that only the second model has right: its maximum likelihood
    estimate given the difference is the larger root of a quadratic (Tango 1998).
    """
    linear = (2 * n - only_right + only_other_right) * difference - only_right - only_other_right
    constant = -only_other_right * difference * (1 - difference)
    share = (math.sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    distance = only_right - only_other_right - n * difference
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)

"""Metrics of an evaluation, each with how sure it is. Knows arrays of label numbers; knows no model and no headline.

Labels are numbered as in `schemas.label.LABELS`: negative 0, neutral 1, positive 2.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.label import LABELS, Label

NEUTRAL = LABELS.index(Label.NEUTRAL)
UNPARSED = len(LABELS)
"""Column of the probability of any output that is no label."""

RESAMPLES = 2_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Metrics:
    """Figures of one evaluation; intervals are at 95 %."""

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    macro_f1_low: float
    macro_f1_high: float
    expected_accuracy: float
    unparsed_rate: float
    strict_accuracy: float


def draw_outcomes(
    probabilities: NDArray[np.float64], headline_ids: Sequence[str], temperature: float, seed: int
) -> NDArray[np.int64]:
    """Sample one outcome a headline: 0, 1, 2 for a label or `UNPARSED`.

    Each headline's random number comes from the seed, its id and the temperature alone, so neither order nor company
    changes a draw.

    Args:
        probabilities: [N, 4]: negative, neutral, positive, unparsed.
        headline_ids: N ids.
        temperature: The temperature of the probabilities.
        seed: Of the draws.
    """
    uniform = np.array([_uniform(f"{seed}:{temperature!r}:{headline_id}") for headline_id in headline_ids])
    cumulative = probabilities.cumsum(axis=1)
    return np.asarray((uniform[:, None] * cumulative[:, -1:] >= cumulative[:, :-1]).sum(axis=1))


def _uniform(key: str) -> float:
    """A number in [0, 1) that follows from the key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) / 2**48


def parsed_labels(outcomes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Outcomes as labels: what is no label counts as neutral, as in the study."""
    return np.asarray(np.where(outcomes == UNPARSED, NEUTRAL, outcomes))


def measure(
    labels: NDArray[np.int64], outcomes: NDArray[np.int64], probabilities: NDArray[np.float64], seed: int
) -> Metrics:
    """Measure one evaluation.

    Accuracy has Wilson's interval (Wilson 1927); macro-F1 a percentile bootstrap over headlines (Efron 1979). Expected
    accuracy is the mean over all possible draws; strict accuracy counts unparsed output as wrong.

    Args:
        labels: [N] true labels.
        outcomes: [N] sampled outcomes, `UNPARSED` included.
        probabilities: [N, 4] they were sampled from.
        seed: Of the bootstrap.
    """
    from scipy.stats import binomtest  # a second to load, which a comparison need not wait for

    predicted = parsed_labels(outcomes)
    n, hits = len(labels), int((predicted == labels).sum())
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    confusion = np.bincount(labels * len(LABELS) + predicted, minlength=len(LABELS) ** 2)
    f1_low, f1_high = _bootstrap_macro_f1(confusion, seed)
    as_labels = probabilities[:, : len(LABELS)].copy()
    as_labels[:, NEUTRAL] += probabilities[:, UNPARSED]
    return Metrics(
        n=n,
        accuracy=hits / n,
        accuracy_low=float(interval.low),
        accuracy_high=float(interval.high),
        macro_f1=float(macro_f1(confusion[None])[0]),
        macro_f1_low=f1_low,
        macro_f1_high=f1_high,
        expected_accuracy=float(as_labels[np.arange(n), labels].mean()),
        unparsed_rate=float((outcomes == UNPARSED).mean()),
        strict_accuracy=float((outcomes == labels).mean()),
    )


def macro_f1(confusions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean F1 of the three labels, 0 for a label that neither stands nor is predicted.

    Args:
        confusions: [R, 9] counts, true label by predicted label, row by row.

    Returns:
        [R] values in [0, 1].
    """
    counts = confusions.reshape(-1, len(LABELS), len(LABELS))
    hits = np.diagonal(counts, axis1=1, axis2=2)
    total = counts.sum(axis=1) + counts.sum(axis=2)
    return np.asarray(np.divide(2 * hits, total, out=np.zeros(hits.shape), where=total > 0).mean(axis=1))


def _bootstrap_macro_f1(confusion: NDArray[np.int64], seed: int) -> tuple[float, float]:
    """Percentile interval; resampling headlines is drawing the cells of the confusion matrix from a multinomial."""
    n = int(confusion.sum())
    resampled = np.random.default_rng(seed).multinomial(n, confusion / n, size=RESAMPLES)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(macro_f1(resampled), [tail, 100 - tail])
    return float(low), float(high)

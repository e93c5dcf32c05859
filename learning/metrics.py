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
BATCH_VALUES = 100_000
"""Values that a bootstrap resamples at once: they bound its memory, and fit a cache."""


@dataclass(frozen=True)
class OutcomeFigures:
    """Figures of one outcome a headline; what is unparsed counts as neutral, and as wrong where strict."""

    accuracy: float
    macro_f1: float
    strict_accuracy: float
    unparsed_rate: float


@dataclass(frozen=True)
class Metrics:
    """Figures of one evaluation; intervals are at 95 %. Without prefix: those of its first draw."""

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    macro_f1_low: float
    macro_f1_high: float
    expected_accuracy: float
    expected_accuracy_low: float
    expected_accuracy_high: float
    unparsed_rate: float
    strict_accuracy: float
    argmax_accuracy: float
    argmax_macro_f1: float


def draw_outcomes(
    probabilities: NDArray[np.float64], headline_ids: Sequence[str], temperature: float, seed: int, draw: int = 0
) -> NDArray[np.int64]:
    """Sample one outcome a headline: 0, 1, 2 for a label or `UNPARSED`.

    Each headline's random number comes from the seed, its id, the temperature and the number of the draw alone, so
    neither order nor company nor other draws change a draw.

    Args:
        probabilities: [N, 4]: negative, neutral, positive, unparsed.
        headline_ids: N ids.
        temperature: The temperature of the probabilities.
        seed: Of the draws.
        draw: Number of the draw, from 0.
    """
    suffix = f":{draw}" if draw else ""
    uniform = np.array([_uniform(f"{seed}:{temperature!r}:{headline_id}{suffix}") for headline_id in headline_ids])
    cumulative = probabilities.cumsum(axis=1)
    return np.asarray((uniform[:, None] * cumulative[:, -1:] >= cumulative[:, :-1]).sum(axis=1))


def _uniform(key: str) -> float:
    """A number in [0, 1) that follows from the key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) / 2**48


def parsed_labels(outcomes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Outcomes as labels: what is no label counts as neutral, as in the study."""
    return np.asarray(np.where(outcomes == UNPARSED, NEUTRAL, outcomes))


def measure_outcomes(labels: NDArray[np.int64], outcomes: NDArray[np.int64]) -> OutcomeFigures:
    """Measure one outcome a headline, `UNPARSED` included, against the [N] true labels."""
    return OutcomeFigures(
        accuracy=float((parsed_labels(outcomes) == labels).mean()),
        macro_f1=float(macro_f1(_count_confusion(labels, outcomes)[None])[0]),
        strict_accuracy=float((outcomes == labels).mean()),
        unparsed_rate=float((outcomes == UNPARSED).mean()),
    )


def measure(
    labels: NDArray[np.int64],
    outcomes: NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
    seed: int,
    argmax: NDArray[np.int64] | None = None,
) -> Metrics:
    """Measure one evaluation.

    Accuracy has Wilson's interval (Wilson 1927), because a bootstrap of it collapses to a point where every answer is
    right, or none; between, the two agree. Macro-F1 and expected accuracy, the mean over all possible draws, have a
    percentile bootstrap over headlines (Efron 1979), which does collapse there.

    Args:
        labels: [N] true labels.
        outcomes: [N] outcomes of the first draw, `UNPARSED` included.
        probabilities: [N, 4] they were sampled from; None for a model that decides without, whose expected accuracy is
            its accuracy.
        seed: Of the bootstrap.
        argmax: [N] outcomes as the temperature goes to 0; None for a model that does not sample, whose outcomes are
            those.
    """
    from scipy.stats import binomtest  # a second to load, which a comparison need not wait for

    n, first = len(labels), measure_outcomes(labels, outcomes)
    greedy = first if argmax is None else measure_outcomes(labels, argmax)
    interval = binomtest(round(first.accuracy * n), n).proportion_ci(CONFIDENCE, method="wilson")
    f1_low, f1_high = _bootstrap_macro_f1(_count_confusion(labels, outcomes), seed)
    low, high = float(interval.low), float(interval.high)
    expected = (first.accuracy, low, high) if probabilities is None else _expect(labels, probabilities, seed)
    return Metrics(
        n=n,
        accuracy=first.accuracy,
        accuracy_low=low,
        accuracy_high=high,
        macro_f1=first.macro_f1,
        macro_f1_low=f1_low,
        macro_f1_high=f1_high,
        expected_accuracy=expected[0],
        expected_accuracy_low=expected[1],
        expected_accuracy_high=expected[2],
        unparsed_rate=first.unparsed_rate,
        strict_accuracy=first.strict_accuracy,
        argmax_accuracy=greedy.accuracy,
        argmax_macro_f1=greedy.macro_f1,
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


def _count_confusion(labels: NDArray[np.int64], outcomes: NDArray[np.int64]) -> NDArray[np.int64]:
    """[9] headlines by true label and predicted label, row by row."""
    return np.bincount(labels * len(LABELS) + parsed_labels(outcomes), minlength=len(LABELS) ** 2)


def _expect(labels: NDArray[np.int64], probabilities: NDArray[np.float64], seed: int) -> tuple[float, float, float]:
    """Mean probability of the true label, in which anything unparsed counts as neutral, and its interval."""
    of_label = probabilities[np.arange(len(labels)), labels]
    of_label = np.where(labels == NEUTRAL, of_label + probabilities[:, UNPARSED], of_label)
    return float(of_label.mean()), *_bootstrap_mean(of_label, seed)


def _bootstrap_mean(values: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Percentile interval of the mean, over headlines; a point for a single one, of which scipy takes no sample."""
    from scipy.stats import bootstrap

    if len(values) == 1:
        return float(values[0]), float(values[0])
    interval = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=max(1, BATCH_VALUES // len(values)),
        vectorized=True,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _bootstrap_macro_f1(confusion: NDArray[np.int64], seed: int) -> tuple[float, float]:
    """Percentile interval; resampling headlines is drawing the cells of the confusion matrix from a multinomial."""
    n = int(confusion.sum())
    resampled = np.random.default_rng(seed).multinomial(n, confusion / n, size=RESAMPLES)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(macro_f1(resampled), [tail, 100 - tail])
    return float(low), float(high)

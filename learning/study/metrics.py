"""Metrics of an evaluation, each with its interval, from arrays of label numbers.

Labels are numbered as in `schemas.label.LABELS`: negative 0, neutral 1, positive 2.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.study.confusion import count_confusion, macro_f1
from learning.study.intervals import accuracy_interval, macro_f1_interval, mean_interval
from learning.study.unparsed import UNPARSED, parsed_labels, true_label_probabilities


@dataclass(frozen=True)
class OutcomeFigures:
    """Figures of one outcome per headline; an unparsed one counts as neutral, in `strict_accuracy` as wrong."""

    accuracy: float
    macro_f1: float
    strict_accuracy: float
    unparsed_rate: float


@dataclass(frozen=True)
class Metrics:
    """Figures of one evaluation; intervals are at 95 %. Figures without a prefix are those of its first draw."""

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    macro_f1_low: float | None
    macro_f1_high: float | None
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
    """Sample one outcome per headline: 0, 1, 2 for a label or `UNPARSED`.

    Each headline's random number depends only on the seed, its id, the temperature and the number of the draw, so
    neither the order nor other headlines nor other draws change a draw.

    Args:
        probabilities: [N, 4]: negative, neutral, positive, unparsed.
        headline_ids: N ids.
        temperature: The temperature of the probabilities.
        seed: Seed of the draws.
        draw: Number of the draw, from 0.
    """
    suffix = f":{draw}" if draw else ""
    uniform = np.array([_uniform(f"{seed}:{temperature!r}:{headline_id}{suffix}") for headline_id in headline_ids])
    cumulative = probabilities.cumsum(axis=1)
    return np.asarray((uniform[:, None] * cumulative[:, -1:] >= cumulative[:, :-1]).sum(axis=1))


def _uniform(key: str) -> float:
    """A number in [0, 1), derived from the key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) / 2**48


def measure_outcomes(labels: NDArray[np.int64], outcomes: NDArray[np.int64]) -> OutcomeFigures:
    """Measure one outcome per headline, including `UNPARSED`, against the [N] true labels."""
    return OutcomeFigures(
        accuracy=float((parsed_labels(outcomes) == labels).mean()),
        macro_f1=macro_f1(count_confusion(labels, parsed_labels(outcomes))),
        strict_accuracy=float((outcomes == labels).mean()),
        unparsed_rate=float((outcomes == UNPARSED).mean()),
    )


def measure(
    labels: NDArray[np.int64],
    outcomes: NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
    argmax: NDArray[np.int64] | None = None,
) -> Metrics:
    """Measure one evaluation; `learning.study.intervals` has the intervals.

    Args:
        labels: [N] true labels.
        outcomes: [N] outcomes of the first draw, including `UNPARSED`.
        probabilities: [N, 4] that they were sampled from; None for a model without probabilities, whose expected
            accuracy is its accuracy.
        argmax: [N] outcomes as the temperature goes to 0; None for a model that does not sample, for which they are
            `outcomes`.
    """
    n, first = len(labels), measure_outcomes(labels, outcomes)
    greedy = first if argmax is None else measure_outcomes(labels, argmax)
    accuracy = accuracy_interval(round(first.accuracy * n), n)
    f1 = macro_f1_interval(count_confusion(labels, parsed_labels(outcomes))) or (None, None)
    of_label = None if probabilities is None else true_label_probabilities(labels, probabilities)
    expected = accuracy if of_label is None else mean_interval(of_label)
    return Metrics(
        n=n,
        accuracy=first.accuracy,
        accuracy_low=accuracy[0],
        accuracy_high=accuracy[1],
        macro_f1=first.macro_f1,
        macro_f1_low=f1[0],
        macro_f1_high=f1[1],
        expected_accuracy=first.accuracy if of_label is None else float(of_label.mean()),
        expected_accuracy_low=expected[0],
        expected_accuracy_high=expected[1],
        unparsed_rate=first.unparsed_rate,
        strict_accuracy=first.strict_accuracy,
        argmax_accuracy=greedy.accuracy,
        argmax_macro_f1=greedy.macro_f1,
    )

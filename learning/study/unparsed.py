"""The rules for an answer that is not a label.

In an evaluation it counts as neutral, as in the study (Camargo 2024). A scored headline is called unparsed instead,
unless the settings request the study's rule. The same rules in SQL are macros: `storage/sql/macros.sql`. Labels are
numbered as in `schemas.label.LABELS`.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.label import LABELS, Label

NEUTRAL = LABELS.index(Label.NEUTRAL)
UNPARSED = len(LABELS)
"""Number of the outcome that is not a label, and the column of its probability."""


def parsed_labels(outcomes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Outcomes as labels: an unparsed one counts as neutral."""
    return np.asarray(np.where(outcomes == UNPARSED, NEUTRAL, outcomes))


def with_unparsed(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """[..., 3] probabilities of the labels from [..., 4], with that of an unparsed answer added to neutral."""
    by_label = probabilities[..., :UNPARSED].copy()
    by_label[..., NEUTRAL] += probabilities[..., UNPARSED]
    return by_label


def true_label_probabilities(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] or [N, T] probability of each of N labels, from [N, 4] or [N, T, 4]; an unparsed answer is neutral."""
    return np.asarray(with_unparsed(probabilities)[np.arange(len(labels)), ..., labels])


def is_unparsed(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[N] whether an unparsed answer is likelier than every label, from [N, 4] probabilities."""
    return np.asarray(probabilities[:, UNPARSED] > probabilities[:, :UNPARSED].max(axis=1, initial=0))


def answer(
    probabilities: NDArray[np.float64], unparsed: Literal["label", "neutral"]
) -> tuple[list[str], NDArray[np.float64]]:
    """The labels of scored headlines, and their confidences.

    Args:
        probabilities: [N, 4], negative, neutral, positive and unparsed.
        unparsed: `label` calls an answer that is not a label `unparsed`; `neutral` counts it as neutral.

    Returns:
        N labels: the likeliest one, in a tie the first in the alphabet. [N] confidences: the probability of that label,
        or of the likeliest label if the answer is unparsed. The probability of an unparsed answer is never added.
    """
    by_label = with_unparsed(probabilities) if unparsed == "neutral" else probabilities[:, :UNPARSED]
    chosen = by_label.argmax(axis=1)
    confidence = np.take_along_axis(probabilities, chosen[:, None], axis=1)[:, 0]
    words = np.array([*(label.value for label in LABELS), "unparsed"])
    if unparsed == "label":
        chosen = np.where(is_unparsed(probabilities), UNPARSED, chosen)
    return words[chosen].tolist(), confidence

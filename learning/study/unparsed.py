"""What becomes of an answer that is no label.

In an evaluation it counts as neutral, as in the study (Camargo 2024). A scored headline is called unparsed instead,
unless the settings ask for the study's rule. The same rules in SQL are macros: `storage/sql/macros.sql`. Labels are
numbered as in `schemas.label.LABELS`.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.label import LABELS, Label

NEUTRAL = LABELS.index(Label.NEUTRAL)
UNPARSED = len(LABELS)
"""Number of the outcome that is no label, and the column of its probability."""


def parsed_labels(outcomes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Outcomes as labels: what is no label counts as neutral."""
    return np.asarray(np.where(outcomes == UNPARSED, NEUTRAL, outcomes))


def with_unparsed(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of the labels, [..., 3], where what is no label counts as neutral; of [..., 4] with it apart."""
    by_label = probabilities[..., :UNPARSED].copy()
    by_label[..., NEUTRAL] += probabilities[..., UNPARSED]
    return by_label


def is_unparsed(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[N] whether no label is likelier than an answer that is none; of [N, 4] probabilities."""
    return np.asarray(probabilities[:, UNPARSED] > probabilities[:, :UNPARSED].max(axis=1, initial=0))


def answer(
    probabilities: NDArray[np.float64], unparsed: Literal["label", "neutral"]
) -> tuple[list[str], NDArray[np.float64]]:
    """What scored headlines are called, and how sure that is.

    Args:
        probabilities: [N, 4], negative, neutral, positive and no label.
        unparsed: `label` calls an answer that is no label `unparsed`; `neutral` counts it as neutral.

    Returns:
        N labels: the likeliest, the first in the alphabet of equals. [N] confidences: the probability of that label
        alone, and of the likeliest label where the answer is unparsed. An answer that is no label adds nothing to it.
    """
    by_label = with_unparsed(probabilities) if unparsed == "neutral" else probabilities[:, :UNPARSED]
    chosen = by_label.argmax(axis=1)
    confidence = np.take_along_axis(probabilities, chosen[:, None], axis=1)[:, 0]
    words = np.array([*(label.value for label in LABELS), "unparsed"])
    if unparsed == "label":
        chosen = np.where(is_unparsed(probabilities), UNPARSED, chosen)
    return words[chosen].tolist(), confidence

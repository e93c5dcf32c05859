"""One model on labelled headlines: predictions, probabilities, draws and figures for each temperature."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learning.study.metrics import Metrics, OutcomeFigures, draw_outcomes, measure_outcomes
from schemas.label import LABELS


@dataclass(frozen=True)
class LabelledPart:
    """The headlines of one part of the split."""

    name: str
    headline_ids: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...] = ()
    """The group of near copies of each headline; empty if it is not needed."""

    def without_texts(self) -> "LabelledPart":
        """The part with only its ids and labels, which is all that evaluations need."""
        return replace(self, texts=(), groups=())

    @property
    def label_numbers(self) -> NDArray[np.int64]:
        """[N] labels, numbered as in `schemas.label.LABELS`."""
        return np.array([LABELS.index(label) for label in self.labels])


class CurvePoint(NamedTuple):
    """A model at one temperature: the mean probabilities of the right label and of an unparsed answer."""

    temperature: float
    expected_accuracy: float
    unparsed_rate: float


@dataclass(frozen=True)
class Evaluation:
    """A model on one part at one temperature, with a prediction for each headline of the part."""

    part: LabelledPart
    """The part without its texts, which the caller has."""
    temperature: float | None
    """None for a baseline, which does not sample."""
    metrics: Metrics
    outcomes: NDArray[np.int64]
    """[N] label numbers, or `UNPARSED`: the first draw or, for a baseline, its answer."""
    probabilities: NDArray[np.float64] | None
    """[N, 4]: negative, neutral, positive, unparsed; None for a baseline without probabilities."""
    seconds: float
    """Time to score the part at all temperatures."""
    argmax: NDArray[np.int64] | None = None
    """[N] outcomes as the temperature goes to 0; None for a baseline, which has only one answer."""
    draws: tuple[OutcomeFigures, ...] = ()
    """Figures of each draw; empty for a baseline."""
    curve: tuple[CurvePoint, ...] = ()
    """The model on the same part at the temperatures of the curve; empty for a baseline."""


def measure_draws(
    part: LabelledPart, probabilities: NDArray[np.float64], temperature: float, seed: int, numbers: range
) -> tuple[OutcomeFigures, ...]:
    """Figures of the draws with these numbers, from the [N, 4] probabilities of a part at one temperature."""
    drawn = (draw_outcomes(probabilities, part.headline_ids, temperature, seed, number) for number in numbers)
    return tuple(measure_outcomes(part.label_numbers, outcomes) for outcomes in drawn)

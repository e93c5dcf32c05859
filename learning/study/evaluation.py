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
    """The group of near copies of each headline; none where it is not asked for."""

    def without_texts(self) -> "LabelledPart":
        """The part by its ids and labels: all that its evaluations need."""
        return replace(self, texts=(), groups=())

    @property
    def label_numbers(self) -> NDArray[np.int64]:
        """[N] labels, numbered as in `schemas.label.LABELS`."""
        return np.array([LABELS.index(label) for label in self.labels])


class CurvePoint(NamedTuple):
    """A model at some temperature, over all draws: the mean probability of the right label, and of none."""

    temperature: float
    expected_accuracy: float
    unparsed_rate: float


@dataclass(frozen=True)
class Evaluation:
    """A model on one part at one temperature, with a prediction for each headline of the part."""

    part: LabelledPart
    """Without its texts, which whoever asked for the evaluation has."""
    temperature: float | None
    """None for a baseline, which does not sample."""
    metrics: Metrics
    outcomes: NDArray[np.int64]
    """[N] label numbers, or `UNPARSED`: the first draw or, of a baseline, what it decides."""
    probabilities: NDArray[np.float64] | None
    """[N, 4]: negative, neutral, positive, unparsed; None for a baseline without probabilities."""
    seconds: float
    """Of scoring the part at all temperatures."""
    argmax: NDArray[np.int64] | None = None
    """[N] outcomes as the temperature goes to 0; None for a baseline, which decides once."""
    draws: tuple[OutcomeFigures, ...] = ()
    """Figures of each draw; none for a baseline."""
    curve: tuple[CurvePoint, ...] = ()
    """The model on the same part over temperature, whatever its own; none for a baseline."""


def measure_draws(
    part: LabelledPart, probabilities: NDArray[np.float64], temperature: float, seed: int, numbers: range
) -> tuple[OutcomeFigures, ...]:
    """Figures of the draws with these numbers, from the [N, 4] probabilities of a part at one temperature."""
    drawn = (draw_outcomes(probabilities, part.headline_ids, temperature, seed, number) for number in numbers)
    return tuple(measure_outcomes(part.label_numbers, outcomes) for outcomes in drawn)

"""Checks that a model is the one in the ledger: its answers to test headlines agree with the stored ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learning.models.fine_tune import FineTune
from learning.prompt.decoding import Decoding
from learning.scoring.model_evaluation import Scorer, answer_headlines
from schemas.cell import PromptSettings
from schemas.model_card import Canaries

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.05, "float16": 0.02}
"""Largest allowed difference of a probability, by dtype. A different model is off by a tenth or more.

A temperature below 1 multiplies logits, and what was rounded in them: the difference may be as many times larger.
"""
MOST_TOLERANCE = 0.5
"""Largest difference that is ever allowed."""


@dataclass(frozen=True)
class CanaryCheck:
    """A model's answers, compared with the stored ones."""

    headlines: int
    largest_difference: float
    """Largest difference of a probability."""
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether it is the same model."""
        return self.largest_difference <= self.tolerance


def compare_canaries(
    canaries: Canaries, model: Scorer, fine_tune: FineTune | None, prompt: PromptSettings
) -> CanaryCheck:
    """Score the canaries with a model, and compare the probabilities with the stored ones.

    Args:
        canaries: At least one.
        model: The base, or a whole model.
        fine_tune: The fine-tune; None for a whole model.
        prompt: The prompt around a headline.

    Raises:
        AdapterError: The fine-tune is damaged.
        NotFiniteError: Its logits are NaN or infinite.
    """
    decoding = Decoding(canaries.temperature, canaries.top_k, canaries.top_p)
    answers = answer_headlines(model, fine_tune, canaries.headlines, prompt, decoding, truncate=True)
    difference = np.abs(answers.probabilities - canaries.probabilities)
    tolerance = _find_tolerance((model.arithmetic, canaries.computed_in), canaries.temperature)
    return CanaryCheck(len(canaries.headlines), float(difference.max()), tolerance)


def _find_tolerance(arithmetics: Sequence[str], temperature: float) -> float:
    coarsest = max(TOLERANCE.get(arithmetic, 0.0) for arithmetic in arithmetics)
    return min(coarsest / min(temperature, 1.0), MOST_TOLERANCE)

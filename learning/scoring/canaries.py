"""Check that a model is the one in the ledger: its answers to test headlines agree with the stored ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learning.models.device import Device
from learning.models.loaded_base import LoadedBase
from learning.prompt.decoding import Decoding
from learning.scoring.model_evaluation import answer_headlines
from schemas.cell import PromptSettings
from schemas.model_card import Canaries

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.05, "float16": 0.02}
"""Largest difference of a probability, by the arithmetic of both sides. Another model differs by a tenth or more."""


@dataclass(frozen=True)
class CanaryCheck:
    """How a model's answers compare with the stored ones."""

    headlines: int
    largest_difference: float
    """Largest difference of a probability."""
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether it is the same model."""
        return self.largest_difference <= self.tolerance


def check_canaries(
    canaries: Canaries, base: tuple[Path, str], adapter_folder: Path | None, prompt: PromptSettings, device: Device
) -> CanaryCheck:
    """Load a model from its files, have it answer the canaries, and compare the probabilities with the stored ones.

    Args:
        canaries: At least one.
        base: Folder and quantisation of the base or of the whole model.
        adapter_folder: The adapter's folder; None for a whole model.
        prompt: The prompt around a headline.
        device: The device that scores.

    Raises:
        AdapterError: The adapter is damaged.
        NotFiniteError: Its logits are NaN or infinite.
    """
    return compare_canaries(canaries, LoadedBase(*base, device), adapter_folder, None, prompt)


def compare_canaries(
    canaries: Canaries,
    base: LoadedBase,
    adapter_folder: Path | None,
    adapter_hash: str | None,
    prompt: PromptSettings,
) -> CanaryCheck:
    """Have a loaded base with an adapter answer the canaries; see `check_canaries`."""
    decoding = Decoding(canaries.temperature, canaries.top_k, canaries.top_p)
    answers = answer_headlines(base, adapter_folder, canaries.headlines, prompt, decoding, adapter_hash)
    difference = np.abs(answers.probabilities - canaries.probabilities)
    computed_in = (str(base.device.dtype).removeprefix("torch."), canaries.computed_in)
    return CanaryCheck(len(canaries.headlines), float(difference.max()), _find_tolerance(computed_in))


def _find_tolerance(arithmetics: Sequence[str]) -> float:
    return max(TOLERANCE.get(arithmetic, 0.0) for arithmetic in arithmetics)

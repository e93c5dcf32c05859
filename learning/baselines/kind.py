"""What a kind of baseline is: a name, a version, and how it is fitted on the train part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.label import LABELS


class Answers(NamedTuple):
    """What a baseline says of N headlines."""

    labels: NDArray[np.int64]
    """[N] label numbers."""
    probabilities: NDArray[np.float64] | None = None
    """[N, 3], numbered as the labels; None where it decides without any."""


Baseline = Callable[[Sequence[str]], Answers]
"""A fitted baseline: headlines in, answers out."""


@dataclass(frozen=True)
class Train:
    """The train part that a baseline is fitted on."""

    texts: Sequence[str]
    labels: NDArray[np.int64]
    """[N] label numbers, as many as texts."""
    seed: int
    """Of a solver."""
    encoder_folder: Path | None = None
    """The encoder of embeddings, where the study has one."""

    @property
    def has_one_class(self) -> bool:
        """Whether there is nothing to tell apart."""
        return len(set(self.labels.tolist())) == 1

    def always_commonest(self) -> Baseline:
        """The baseline that says the commonest class of any headline."""
        commonest = int(np.bincount(self.labels, minlength=len(LABELS)).argmax())
        return lambda texts: Answers(np.full(len(texts), commonest))


@dataclass(frozen=True)
class BaselineKind:
    """A kind of baseline. A module of `learning.baselines.kinds` that has one as `BASELINE` adds it to fintone."""

    name: str
    """As the leaderboard and `baselines.names` have it."""
    version: int
    """Raised when it would predict otherwise, or with other probabilities."""
    fit: Callable[[Train], Baseline]
    needs_encoder: bool = False
    """It runs where the study names an encoder, and not by `baselines.names`."""

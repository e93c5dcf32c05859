"""Kinds of baselines: the name, the version, and the function that fits one on the train part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.label import LABELS


class Answers(NamedTuple):
    """A baseline's answers to N headlines."""

    labels: NDArray[np.int64]
    """[N] label numbers."""
    probabilities: NDArray[np.float64] | None = None
    """[N, 3], numbered as the labels; None for a baseline without probabilities."""


Baseline = Callable[[Sequence[str]], Answers]
"""A fitted baseline: headlines in, answers out."""


@dataclass(frozen=True)
class Train:
    """The train part that a baseline is fitted on."""

    texts: Sequence[str]
    labels: NDArray[np.int64]
    """[N] label numbers, as many as texts."""
    seed: int
    """Seed of a solver."""
    encoder_folder: Path | None = None
    """The encoder of embeddings, if the study has one."""
    groups: Sequence[str] = ()
    """The group of near copies of each text; empty if no text has a near copy."""

    def take(self, rows: NDArray[np.int64]) -> "Train":
        """The subset with these rows, numbered from 0."""
        texts, groups = ([values[row] for row in rows] if values else () for values in (self.texts, self.groups))
        return replace(self, texts=texts, labels=self.labels[rows], groups=groups)

    @property
    def has_one_class(self) -> bool:
        """Whether all labels are the same."""
        return len(set(self.labels.tolist())) == 1

    @property
    def commonest(self) -> int:
        """The number of the commonest class; the first one in a tie."""
        return int(np.bincount(self.labels, minlength=len(LABELS)).argmax())

    def always_commonest(self) -> Baseline:
        """The baseline that answers every headline with the commonest class."""
        commonest = self.commonest
        return lambda texts: Answers(np.full(len(texts), commonest))


@dataclass(frozen=True)
class BaselineKind:
    """A kind of baseline. A module of `learning.baselines.kinds` that has one as `BASELINE` adds it to fintone."""

    name: str
    """Name in the leaderboard and in `baselines.names`."""
    version: int
    """Version, raised when predictions or probabilities change."""
    fit: Callable[[Train], Baseline]
    needs_encoder: bool = False
    """Whether it runs because the study names an encoder, instead of by `baselines.names`."""

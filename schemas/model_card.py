"""The facts about an exported model: read by storage, checked by learning, written to its card by reporting."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXAMPLES_FILE = "examples.json"
"""Holds the examples of an exported model whose prompt has some."""
SCRIPT = "classify.py"
"""Classifies headlines with an exported causal language model."""


@dataclass(frozen=True)
class Canaries:
    """Headlines with the probabilities that a model is known to give them, and how they were sampled."""

    temperature: float
    top_k: int | None
    top_p: float | None
    headlines: tuple[str, ...]
    probabilities: NDArray[np.float64]
    """[N, 4]: negative, neutral, positive, unparsed."""
    computed_in: str
    """The precision in which the model computed them, as torch names it."""
    contexts: tuple[str | None, ...]
    """The context of each headline in the source; None where it has none."""
    instruments: tuple[str | None, ...]
    """What each headline is about; None where the source does not say."""


@dataclass(frozen=True)
class ExportForm:
    """What an exported folder holds and how it is used, as its kind of model describes it."""

    is_whole: bool
    """Whether it holds a whole model; else an adapter, which needs its base."""
    summary: str
    """What the folder holds, in a few words for a terminal."""
    description: str
    """The same in sentences, for its card."""
    library: str
    """Name of the library that loads it, as model hubs know it."""
    task: str
    """Its task, as model hubs know it."""
    usage: tuple[str, ...]
    """How to use it, as lines of Markdown."""


@dataclass(frozen=True)
class CardFigures:
    """One evaluation of the cell on test."""

    temperature: float
    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    macro_f1_low: float | None
    macro_f1_high: float | None
    expected_accuracy: float


@dataclass(frozen=True)
class CellCard:
    """A fine-tuned cell with its data and its figures."""

    cell_id: str
    status: str
    base_model: str
    base_revision: str
    base_folder: str | None
    """Where it was found; None where an older version did not record it."""
    learning_rate: float
    epochs: int
    seed: int
    hyperparameters: dict[str, Any]
    environment: dict[str, Any]
    source: str
    source_kind: str
    synthetic: bool
    snapshot_id: str
    part_sizes: dict[str, int]
    labels: tuple[str, ...]
    """The labels that its headlines have."""
    figures: tuple[CardFigures, ...]
    """By rising temperature; none where the cell has not been evaluated."""

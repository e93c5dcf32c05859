"""A baseline, fitted on train and evaluated on each part, with its costs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learning.baselines.kind import Baseline, Train
from learning.baselines.registry import find_kind
from learning.study.evaluation import Evaluation, LabelledPart
from learning.study.metrics import measure


@dataclass(frozen=True)
class FittedBaseline:
    """A baseline that is fitted, and its costs."""

    answer: Baseline
    train_seconds: float
    size_bytes: int
    """Size of a file with the fitted baseline; data that is part of the code, such as word lists, is not counted."""


def fit_baseline(name: str, train: LabelledPart, seed: int, encoder_folder: Path | None = None) -> FittedBaseline:
    """Fit a baseline on train.

    Raises:
        EmbeddingModelError: The encoder of its embeddings cannot be loaded.
    """
    kind, start = find_kind(name), time.monotonic()
    answer = kind.fit(Train(train.texts, train.label_numbers, seed, encoder_folder, train.groups))
    return FittedBaseline(answer, time.monotonic() - start, _count_bytes(answer))


def evaluate_baseline(baseline: Baseline, parts: Sequence[LabelledPart]) -> list[Evaluation]:
    """Evaluate a fitted baseline on each part.

    A baseline without probabilities is measured as if it were certain of its answers.
    """
    evaluations = []
    for part in parts:
        start = time.monotonic()
        predicted, by_label = baseline(part.texts)
        probabilities = None if by_label is None else np.pad(by_label, ((0, 0), (0, 1)))
        metrics = measure(part.label_numbers, predicted, probabilities)
        evaluations.append(
            Evaluation(part.without_texts(), None, metrics, predicted, probabilities, time.monotonic() - start)
        )
    return evaluations


class _Counter:
    """A file that keeps only its length."""

    length = 0

    def write(self, data: bytes | memoryview) -> int:
        size = memoryview(data).nbytes
        self.length += size
        return size


def _count_bytes(baseline: Baseline) -> int:
    import cloudpickle

    counter = _Counter()
    cloudpickle.dump(baseline, counter)
    return counter.length

"""A baseline, fitted on train and evaluated on each part."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from learning.baselines.kind import Train
from learning.baselines.registry import find_kind
from learning.study.evaluation import Evaluation, LabelledPart
from learning.study.metrics import measure


def evaluate_baseline(
    name: str, train: LabelledPart, parts: Sequence[LabelledPart], seed: int, encoder_folder: Path | None = None
) -> list[Evaluation]:
    """Fit a baseline on train and evaluate it on each part.

    A baseline without probabilities is measured as if it were sure of its answers.

    Raises:
        EncoderError: The encoder of its embeddings cannot be loaded.
    """
    answer = find_kind(name).fit(Train(train.texts, train.label_numbers, seed, encoder_folder))
    evaluations = []
    for part in parts:
        start = time.monotonic()
        predicted, by_label = answer(part.texts)
        probabilities = None if by_label is None else np.pad(by_label, ((0, 0), (0, 1)))
        metrics = measure(part.label_numbers, predicted, probabilities)
        evaluations.append(
            Evaluation(part.without_texts(), None, metrics, predicted, probabilities, time.monotonic() - start)
        )
    return evaluations

"""Confusion matrices and macro-F1; labels are numbered as in `schemas.label.LABELS`."""

import numpy as np
from numpy.typing import NDArray

from schemas.label import LABELS

Counts = NDArray[np.int64] | NDArray[np.float64]


def count_confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """[3, 3] headlines by true label and predicted label."""
    size = len(LABELS)
    return np.bincount(labels * size + predicted, minlength=size * size).reshape(size, size)


def f1_scores(counts: Counts) -> NDArray[np.float64]:
    """[..., 3] F1 of each label of [..., 3, 3] confusion matrices, 0 for one that is neither true nor predicted."""
    total = counts.sum(axis=-2) + counts.sum(axis=-1)
    hits = 2 * counts.diagonal(axis1=-2, axis2=-1)
    return np.asarray(np.divide(hits, total, out=np.zeros(total.shape), where=total > 0))


def find_present(counts: Counts) -> NDArray[np.bool_]:
    """[3] whether any headline of a [3, 3] confusion matrix has each label."""
    return np.asarray(counts.sum(axis=1) > 0)


def macro_f1(counts: Counts) -> float:
    """Mean F1 of the labels that are present in a [3, 3] confusion matrix: all three, or two in a study of two."""
    present = find_present(counts)
    return float(f1_scores(counts)[present].mean()) if present.any() else 0.0

"""Baselines: what costs nothing to train, on the same headlines. Knows texts and labels; knows no language model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from schemas.label import LABELS


def predict_baseline(
    name: str, train_texts: Sequence[str], train_labels: NDArray[np.int64], texts: Sequence[str], seed: int
) -> NDArray[np.int64]:
    """Fit a baseline on train and predict label numbers for `texts`.

    Args:
        name: One of `learning.grid.BASELINES`.
        train_texts: Headlines to learn from.
        train_labels: Their label numbers.
        texts: Headlines to predict, N of them.
        seed: Of the SVM's solver.

    Returns:
        [N] label numbers.
    """
    if name == "majority class":
        counts = np.bincount(train_labels, minlength=len(LABELS))
        return np.full(len(texts), int(counts.argmax()))
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    classifier = make_pipeline(make_union(words, characters), LinearSVC(random_state=seed))
    return np.asarray(classifier.fit(list(train_texts), train_labels).predict(list(texts)))

"""Classifiers on TF-IDF of words and optionally characters: fitted on train, with or without probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learning.baselines.kind import Answers, Baseline, Train
from schemas.label import LABELS

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def fit_pipeline(train: Train, classifier: Any, *, with_characters: bool = True) -> "Pipeline | None":
    """A scikit-learn classifier on TF-IDF of words and pairs of words, fitted on train.

    Args:
        train: The part that it is fitted on.
        classifier: An unfitted classifier of scikit-learn that takes sparse features.
        with_characters: Whether runs of two to five characters are features too.

    Returns:
        The fitted pipeline; None if train has no such feature, or only one class.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    wanted = (words, characters) if with_characters else (words,)
    features = [vectorizer for vectorizer in wanted if _finds_any(vectorizer, train.texts)]
    if not features or train.has_one_class:
        return None
    return make_pipeline(make_union(*features), classifier).fit(list(train.texts), train.labels)


def fit_with_probabilities(train: Train, classifier: Any, *, with_characters: bool = True) -> Baseline:
    """A baseline of `fit_pipeline` with the classifier's own probabilities, without any later calibration.

    If `fit_pipeline` returns None, each label is as probable as it is frequent in train.
    """
    return answer_with(fit_pipeline(train, classifier, with_characters=with_characters), train)


def answer_with(pipeline: "Pipeline | None", train: Train) -> Baseline:
    """A baseline with the probabilities of a fitted pipeline; if None, each label is as probable as in train."""
    if pipeline is not None:
        return _Classified(pipeline)
    return _Constant(np.bincount(train.labels, minlength=len(LABELS)) / len(train.labels))


@dataclass(frozen=True)
class _Classified:
    pipeline: "Pipeline"

    def __call__(self, texts: Sequence[str]) -> Answers:
        probabilities = np.zeros((len(texts), len(LABELS)))
        probabilities[:, self.pipeline.classes_] = self.pipeline.predict_proba(list(texts))
        return Answers(probabilities.argmax(axis=1), probabilities)


@dataclass(frozen=True)
class _Constant:
    shares: NDArray[np.float64]
    """[3]: the share of each label in train."""

    def __call__(self, texts: Sequence[str]) -> Answers:
        probabilities = np.tile(self.shares, (len(texts), 1))
        return Answers(probabilities.argmax(axis=1), probabilities)


def _finds_any(vectorizer: Any, texts: Sequence[str]) -> bool:
    """Whether there is a feature in the texts; fitting fails if there is none."""
    analyse = vectorizer.build_analyzer()
    return any(analyse(text) for text in texts)

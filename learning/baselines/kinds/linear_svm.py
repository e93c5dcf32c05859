"""TF-IDF of words and characters with a linear SVM."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from learning.baselines.kind import Answers, Baseline, BaselineKind, Train


def _fit(train: Train) -> Baseline:
    """Without a word or character to learn from, or with one class, it answers the commonest class."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    features = [vectorizer for vectorizer in (words, characters) if _finds_any(vectorizer, train.texts)]
    if not features or train.has_one_class:
        return train.always_commonest()
    classifier = make_pipeline(make_union(*features), LinearSVC(random_state=train.seed))
    classifier.fit(list(train.texts), train.labels)
    return lambda texts: Answers(np.asarray(classifier.predict(list(texts))))


def _finds_any(vectorizer: Any, texts: Sequence[str]) -> bool:
    """Whether there is a feature in the texts; fitting fails if there is none."""
    analyse = vectorizer.build_analyzer()
    return any(analyse(text) for text in texts)


BASELINE = BaselineKind(name="TF-IDF + linear SVM", version=2, fit=_fit)

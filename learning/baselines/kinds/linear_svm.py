"""TF-IDF of words and characters with a linear SVM."""

import numpy as np

from learning.baselines.kind import Answers, Baseline, BaselineKind, Train


def _fit(train: Train) -> Baseline:
    """If train has no word or character to learn from, or only one class, it answers the commonest class."""
    from sklearn.svm import LinearSVC

    from learning.baselines.tfidf import fit_pipeline

    classifier = fit_pipeline(train, LinearSVC(random_state=train.seed))
    if classifier is None:
        return train.always_commonest()
    return lambda texts: Answers(np.asarray(classifier.predict(list(texts))))


BASELINE = BaselineKind(name="TF-IDF + linear SVM", version=2, fit=_fit)

"""TF-IDF of words and characters with logistic regression."""

from learning.baselines.kind import Baseline, BaselineKind, Train


def _fit(train: Train) -> Baseline:
    """`C` is the best of 1, 3, 10 and 30 by log loss, cross-validated on the train part of the study."""
    from sklearn.linear_model import LogisticRegression

    from learning.baselines.tfidf import fit_with_probabilities

    return fit_with_probabilities(train, LogisticRegression(C=10, max_iter=1_000, random_state=train.seed))


BASELINE = BaselineKind(name="TF-IDF + logistic regression", version=1, fit=_fit)

"""TF-IDF of words and characters with a random forest."""

from learning.baselines.kind import Baseline, BaselineKind, Train

TREES = 100


def _fit(train: Train) -> Baseline:
    from sklearn.ensemble import RandomForestClassifier

    from learning.baselines.tfidf import fit_with_probabilities

    return fit_with_probabilities(train, RandomForestClassifier(TREES, random_state=train.seed))


BASELINE = BaselineKind(name="TF-IDF + random forest", version=1, fit=_fit)

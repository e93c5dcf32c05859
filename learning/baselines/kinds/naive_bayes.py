"""TF-IDF of words with multinomial naive Bayes."""

from learning.baselines.kind import Baseline, BaselineKind, Train


def _fit(train: Train) -> Baseline:
    """Only words are features: runs of characters overlap, and would count the same evidence several times."""
    from sklearn.naive_bayes import MultinomialNB

    from learning.baselines.tfidf import fit_with_probabilities

    return fit_with_probabilities(train, MultinomialNB(alpha=0.05), with_characters=False)


BASELINE = BaselineKind(name="TF-IDF + naive Bayes", version=1, fit=_fit)

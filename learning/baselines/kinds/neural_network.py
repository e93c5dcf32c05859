"""TF-IDF of words with a neural network of one hidden layer."""

import warnings

from learning.baselines.kind import Baseline, BaselineKind, Train

HIDDEN = 32
EPOCHS = 40


def _fit(train: Train) -> Baseline:
    """The number of epochs is fixed: early stopping would hold out random rows, with near copies on both sides."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    from learning.baselines.tfidf import fit_with_probabilities

    network = MLPClassifier((HIDDEN,), alpha=1e-3, max_iter=EPOCHS, random_state=train.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit_with_probabilities(train, network, with_characters=False)


BASELINE = BaselineKind(name="TF-IDF + neural network", version=1, fit=_fit)

"""Soft voting: the mean probability of the three baselines that cross-validation on train finds best."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.baselines.kind import Answers, Baseline, BaselineKind, Train
from learning.baselines.kinds import logistic_regression, naive_bayes, neural_network, random_forest
from learning.study.confusion import count_confusion, macro_f1

CANDIDATES = tuple(module.BASELINE for module in (logistic_regression, neural_network, random_forest, naive_bayes))
"""The baselines with probabilities; in a tie the earlier one is chosen."""
VOTERS = 3
FOLDS = 5
OWN_VERSION = 1


@dataclass(frozen=True)
class _Vote:
    voters: tuple[Baseline, ...]

    def __call__(self, texts: Sequence[str]) -> Answers:
        probabilities = np.mean([_predict(voter, texts) for voter in self.voters], axis=0)
        return Answers(probabilities.argmax(axis=1), probabilities)


def _fit(train: Train) -> Baseline:
    """The candidates with the highest cross-validated macro-F1, each fitted on all of train."""
    folds = list(split_folds(train))
    ranked = sorted(CANDIDATES, key=lambda kind: -_cross_validate(kind, train, folds))
    return _Vote(tuple(kind.fit(train) for kind in ranked[:VOTERS]))


def split_folds(train: Train) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the rows of train to fit on and to judge by for each fold: balanced over labels, near copies in one fold.

    Yields no fold if a label has only one group of near copies.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.unique(train.groups or np.arange(len(train.texts)), return_inverse=True)[1]
    folds = min(FOLDS, *(len(np.unique(groups[train.labels == label])) for label in np.unique(train.labels)))
    if folds > 1:
        cut = StratifiedGroupKFold(folds, shuffle=True, random_state=train.seed)
        yield from cut.split(train.texts, train.labels, groups)


def _cross_validate(
    kind: BaselineKind, train: Train, folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> float:
    """Macro-F1 over all folds; 0 without folds."""
    if not folds:
        return 0.0
    predicted = np.zeros_like(train.labels)
    for fitted, judged in folds:
        predicted[judged] = kind.fit(train.take(fitted))([train.texts[row] for row in judged]).labels
    return macro_f1(count_confusion(train.labels, predicted))


def _predict(voter: Baseline, texts: Sequence[str]) -> NDArray[np.float64]:
    probabilities = voter(texts).probabilities
    assert probabilities is not None
    return probabilities


BASELINE = BaselineKind(
    name="soft-voting ensemble", version=OWN_VERSION + sum(kind.version for kind in CANDIDATES), fit=_fit
)

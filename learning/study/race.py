"""The race of a grid: trainings that are significantly worse than the best at the end of an epoch are dropped."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from learning.study.comparison import mcnemar

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Standing(Generic[Name]):
    """A racer's answers to the validation part at the end of an epoch, at the lowest temperature."""

    racer: Name
    right: NDArray[np.bool_]
    """[N] whether each answer is right."""
    balanced_accuracy: float
    """The figure that selects cells; see `model_selection`."""


@dataclass(frozen=True)
class Drop(Generic[Name]):
    """A racer that is dropped, and the best one, with which it was compared."""

    racer: Name
    best: Name
    n: int
    accuracy: float
    best_accuracy: float
    p_value: float
    """The p-value of McNemar's exact test, not corrected."""


def judge_round(standings: Sequence[Standing[Name]], bound: float) -> list[Drop[Name]]:
    """The racers that are significantly worse than the best of them.

    The best is the one that would be selected now: it has the highest balanced accuracy, and comes first in a tie.
    Another racer is dropped if its accuracy is lower and the p-value of McNemar's exact two-sided test is at most
    `bound`.

    If `bound` is the level over the number of tests that a race may make (`learning.training.racers.count_tests`: all
    pairs of racers at the end of each epoch), the probability that any racer is dropped for one that is no better is
    below the level, by Boole's inequality (Bonferroni's correction, Dunn 1961). All pairs count, since the answers
    themselves choose the best. Races between models: Maron and Moore 1994, "Hoeffding races"; with tests, Birattari et
    al. 2002, "A racing algorithm for configuring metaheuristics".

    Args:
        standings: The standings of racers of one field, at least one, on the same headlines.
        bound: The largest p-value at which a racer is dropped.
    """
    best = max(standings, key=lambda standing: standing.balanced_accuracy)
    compared = [_compare(standing, best) for standing in standings if standing is not best]
    return [drop for drop in compared if drop.accuracy < drop.best_accuracy and drop.p_value <= bound]


def least_p_value(n: int) -> float:
    """The least p-value of McNemar's test on `n` headlines: if one racer is right on all, and the other on none."""
    return mcnemar(n, 0)


def _compare(standing: Standing[Name], best: Standing[Name]) -> Drop[Name]:
    right, best_right = standing.right, best.right
    p_value = mcnemar(int((right & ~best_right).sum()), int((best_right & ~right).sum()))
    accuracies = float(right.mean()), float(best_right.mean())
    return Drop(standing.racer, best.racer, len(right), *accuracies, p_value)

"""Baselines: the commonest class, and a bag of words and characters with a linear SVM."""

import numpy as np
import pytest
from numpy.typing import NDArray

from learning.baselines import predict_baseline
from learning.grid import BASELINES

MAJORITY, SVM = BASELINES
TEXTS = [f"{company} {verb} ." for verb in ("fell", "met", "rose") for company in ("Nordvik", "Kivavera", "Orimer")]
LABELS = np.repeat([0, 1, 2], 3)


def predict(name: str, labels: NDArray[np.int64], texts: list[str], seed: int = 42) -> list[int]:
    return predict_baseline(name, TEXTS, labels, texts, seed).tolist()


@pytest.mark.parametrize("commonest", [0, 1, 2])
def test_the_majority_class_is_said_of_every_headline(commonest: int) -> None:
    labels = np.where(np.arange(9) < 5, commonest, LABELS)
    assert predict(MAJORITY, labels, ["anything", "", "else"]) == [commonest] * 3


def test_the_svm_learns_which_word_means_what() -> None:
    assert predict(SVM, LABELS, ["Talwell fell .", "Talwell met .", "Talwell rose ."]) == [0, 1, 2]


def test_the_svm_may_know_two_classes_only() -> None:
    assert predict(SVM, np.where(LABELS == 1, 2, LABELS), ["Talwell fell .", "Talwell met ."]) == [0, 2]


@pytest.mark.parametrize("name", BASELINES)
def test_a_seed_gives_the_same_predictions_again(name: str) -> None:
    texts = ["Talwell rose and fell .", "no word of it", ""]
    assert predict(name, LABELS, texts) == predict(name, LABELS, texts)


@pytest.mark.parametrize("name", BASELINES)
def test_there_is_one_label_number_a_headline(name: str) -> None:
    predicted = predict_baseline(name, TEXTS, LABELS, TEXTS, seed=1)
    assert predicted.shape == (len(TEXTS),)
    assert np.issubdtype(predicted.dtype, np.integer)

"""Baselines: what costs next to nothing to train, on the same headlines. Knows texts and labels; fine-tunes nothing."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from learning.baselines.embeddings import embed_texts, load_encoder
from learning.baselines.lexicon import label_headline
from learning.study.grid import EMBEDDINGS
from schemas.label import LABELS


class Answers(NamedTuple):
    """What a baseline says of N headlines."""

    labels: NDArray[np.int64]
    """[N] label numbers."""
    probabilities: NDArray[np.float64] | None = None
    """[N, 3], numbered as the labels; None where it decides without any."""


Baseline = Callable[[Sequence[str]], Answers]
"""A fitted baseline: headlines in, answers out."""


def fit_baseline(
    name: str, texts: Sequence[str], labels: NDArray[np.int64], seed: int, encoder_folder: Path | None = None
) -> Baseline:
    """Fit a baseline on the train part.

    Where the train part has a single class, or not one word or character to learn from, every baseline but the lexicon
    says the commonest class.

    Args:
        name: One of `schemas.config.BaselineName`, or `learning.study.grid.EMBEDDINGS`.
        texts: Headlines to learn from.
        labels: Their label numbers, as many.
        seed: Of the solver.
        encoder_folder: The encoder of the embeddings.

    Raises:
        ValueError: There is no baseline of this name.
        EncoderError: The encoder cannot be loaded.
    """
    if name == "finance lexicon":
        return _answer_by_lexicon
    commonest = int(np.bincount(labels, minlength=len(LABELS)).argmax())
    if name == "majority class":
        return lambda texts: Answers(np.full(len(texts), commonest))
    if name == "TF-IDF + linear SVM":
        return _fit_svm(texts, labels, seed, commonest)
    if name == EMBEDDINGS and encoder_folder is not None:
        return _fit_regression(texts, labels, seed, encoder_folder)
    raise ValueError(f"baseline {name} with encoder {encoder_folder}: there is none")


def _answer_by_lexicon(texts: Sequence[str]) -> Answers:
    return Answers(np.array([LABELS.index(label_headline(text)) for text in texts], dtype=np.int64))


def _fit_svm(texts: Sequence[str], labels: NDArray[np.int64], seed: int, commonest: int) -> Baseline:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    features = [vectorizer for vectorizer in (words, characters) if _finds_any(vectorizer, texts)]
    if not features or len(set(labels.tolist())) == 1:
        return lambda texts: Answers(np.full(len(texts), commonest))
    classifier = make_pipeline(make_union(*features), LinearSVC(random_state=seed)).fit(list(texts), labels)
    return lambda texts: Answers(np.asarray(classifier.predict(list(texts))))


def _finds_any(vectorizer: Any, texts: Sequence[str]) -> bool:
    """Whether there is a feature in the texts; fitting fails where there is none."""
    analyse = vectorizer.build_analyzer()
    return any(analyse(text) for text in texts)


def _fit_regression(texts: Sequence[str], labels: NDArray[np.int64], seed: int, encoder_folder: Path) -> Baseline:
    """On embeddings of unit length; the penalty is scikit-learn's own, which cross-validation on train found best."""
    encoder = load_encoder(encoder_folder)
    classes = np.unique(labels)
    classifier = LogisticRegression(max_iter=1_000, random_state=seed)
    if len(classes) > 1:
        classifier.fit(embed_texts(encoder, texts), labels)

    def answer(texts: Sequence[str]) -> Answers:
        probabilities = np.zeros((len(texts), len(LABELS)))
        probabilities[:, classes] = classifier.predict_proba(embed_texts(encoder, texts)) if len(classes) > 1 else 1.0
        return Answers(probabilities.argmax(axis=1), probabilities)

    return answer

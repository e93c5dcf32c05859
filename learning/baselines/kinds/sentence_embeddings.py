"""Logistic regression on sentence embeddings."""

from collections.abc import Sequence

import numpy as np

from learning.baselines.kind import Answers, Baseline, BaselineKind, Train
from schemas.label import LABELS


def _fit(train: Train) -> Baseline:
    """Embeddings have unit length; the penalty is scikit-learn's default, which cross-validation on train found best.

    Raises:
        EncoderError: The encoder cannot be loaded.
    """
    from sklearn.linear_model import LogisticRegression

    from learning.baselines.embeddings import embed_texts, load_encoder

    assert train.encoder_folder is not None
    encoder = load_encoder(train.encoder_folder)
    classes = np.unique(train.labels)
    classifier = LogisticRegression(max_iter=1_000, random_state=train.seed)
    if len(classes) > 1:
        classifier.fit(embed_texts(encoder, train.texts), train.labels)

    def answer(texts: Sequence[str]) -> Answers:
        probabilities = np.zeros((len(texts), len(LABELS)))
        probabilities[:, classes] = classifier.predict_proba(embed_texts(encoder, texts)) if len(classes) > 1 else 1.0
        return Answers(probabilities.argmax(axis=1), probabilities)

    return answer


BASELINE = BaselineKind(name="sentence embeddings + logistic regression", version=2, fit=_fit, needs_encoder=True)

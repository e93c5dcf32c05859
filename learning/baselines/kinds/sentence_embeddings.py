"""Logistic regression on sentence embeddings."""

from functools import partial

from learning.baselines.kind import Baseline, BaselineKind, Train


def _fit(train: Train) -> Baseline:
    """Embeddings have unit length; the penalty is scikit-learn's default, which cross-validation on train found best.

    Raises:
        EmbeddingModelError: The encoder cannot be loaded.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    from learning.baselines.embeddings import embed_texts, load_embedding_model
    from learning.baselines.tfidf import answer_with

    assert train.encoder_folder is not None
    embed = FunctionTransformer(partial(embed_texts, load_embedding_model(train.encoder_folder)))
    classifier = LogisticRegression(max_iter=1_000, random_state=train.seed)
    fitted = None if train.has_one_class else make_pipeline(embed, classifier).fit(list(train.texts), train.labels)
    return answer_with(fitted, train)


BASELINE = BaselineKind(name="sentence embeddings + logistic regression", version=2, fit=_fit, needs_encoder=True)

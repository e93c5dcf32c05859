"""The gate names the baselines that it compared with if a study leaves out a default one."""

import pytest

from operations.rivals import describe_left_out
from schemas.evaluation import BaselineSettings

SVM, LEXICON, MAJORITY = "TF-IDF + linear SVM", "finance lexicon", "majority class"
OUT = f"out {LEXICON}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, None),
        ({"names": (SVM, LEXICON, MAJORITY)}, None),
        ({"names": ("all",)}, None),
        ({"names": ("default",)}, None),
        (
            {"names": (MAJORITY,), "embedding_model": "org/encoder"},
            f"the baselines {MAJORITY}, embeddings of org/encoder only, as baselines.names leaves {OUT}, {SVM}",
        ),
        ({"names": ()}, f"no baseline, as baselines.names leaves out {MAJORITY}, {LEXICON}, {SVM}"),
    ],
)
def test_default_baselines_that_are_left_out_are_named(settings: dict[str, object], message: str | None) -> None:
    assert describe_left_out(BaselineSettings.model_validate(settings)) == (message and f"compared with {message}")

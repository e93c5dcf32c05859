"""A headline beyond the model's limit is trained on, evaluated and scored by its longest beginning that fits."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from learning.kinds.causal import CausalModel
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.prompt.decoding import Decoding
from learning.prompt.lengths import fit_headlines
from learning.scoring.model_evaluation import answer_headlines
from learning.training.recipe import Recipe, Training
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import LABELS

BOUND, PROMPT, DECODING = 90, PromptSettings(), Decoding(1.0, None, None)
TEXTS = ["Profit rose", "Sales fell " * 60, "The meeting is in May"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> CausalModel:
    folder = Path(shutil.copytree(tiny_folder, tmp_path_factory.mktemp("short") / "base"))
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, "max_position_embeddings": BOUND}))
    return CausalModel(LoadedBase(folder, "none", choose_device()))


def fit(model: CausalModel) -> list[str]:
    fitting = fit_headlines(TEXTS, model.base.tokenizer, PROMPT, BOUND)
    assert [len(cut) < len(text) for cut, text in zip(fitting, TEXTS, strict=True)] == [False, True, False]
    return fitting


def test_a_long_headline_has_the_probabilities_of_its_longest_beginning(model: CausalModel) -> None:
    whole, cut = (model.probabilities(None, texts, PROMPT, [DECODING], lambda _: None) for texts in (TEXTS, fit(model)))
    assert whole.sampled.tolist() == cut.sampled.tolist()
    assert model.fits(TEXTS, PROMPT).tolist() == [True, False, True]


def test_a_long_headline_is_answered_only_if_long_ones_are_truncated(model: CausalModel) -> None:
    rejected = answer_headlines(model, None, TEXTS, PROMPT, DECODING)
    truncated = answer_headlines(model, None, TEXTS, PROMPT, DECODING, truncate=True)
    assert (rejected.answered.tolist(), rejected.probabilities.shape) == ([True, False, True], (2, 4))
    assert (truncated.answered.tolist(), truncated.probabilities.shape) == ([True] * 3, (3, 4))
    assert rejected.fits.tolist() == truncated.fits.tolist() == [True, False, True]


def test_a_long_headline_trains_the_adapter_of_its_longest_beginning(model: CausalModel, tmp_path: Path) -> None:
    training = TrainingSettings(learning_rate=1e-2, epochs=1, loss="whole-text", schedule="constant", batch_size=3)
    recipe = Recipe(PROMPT, LoraSettings(r=2), training)

    def train(texts: list[str], name: str) -> Any:
        [outcome] = model.train(texts, list(LABELS), [Training(recipe, tmp_path / name)], lambda _: None)
        return outcome

    assert train(TEXTS, "whole").adapter_hash == train(fit(model), "cut").adapter_hash

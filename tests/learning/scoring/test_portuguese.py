"""A study in another language: its instruction, its answers and its labels, from the shipped profile."""

from pathlib import Path

import pytest
import torch

from ingestion.labels import LabelWords
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.prompt.decoding import Decoding
from learning.prompt.encoding import encode_examples
from learning.prompt.template import training_text
from learning.scoring.scoring import score_headlines
from schemas.label import LABELS, Label
from schemas.profiles import build_config, load_profile

HEADLINES = ["O lucro líquido subiu 12 % no trimestre .", "As vendas caíram em São Paulo ."]


def test_a_model_is_prompted_and_answers_in_portuguese(tiny_folder: Path) -> None:
    config = build_config(load_profile("desk-pt"))
    assert training_text(HEADLINES[0], Label.POSITIVE, config.prompt).endswith(f"[{HEADLINES[0]}] = positivo")
    base = LoadedBase(tiny_folder, "nf4", choose_device())
    [example, _] = encode_examples(HEADLINES, [Label.POSITIVE, Label.NEGATIVE], base.tokenizer, config.prompt)
    assert base.tokenizer.decode(example.input_ids[example.answer_start :]).strip() == "positivo"
    answers, model = base.answers(config.prompt), base.score_with(None)
    scored = score_headlines(
        model,
        base.tokenizer,
        answers,
        HEADLINES,
        config.prompt,
        [Decoding(1.0, None, None)],
        batch_tokens=4_096,
        on_batch=lambda _: None,
    )
    assert torch.allclose(scored.sampled.sum(dim=-1), torch.ones(len(HEADLINES), 1, dtype=torch.float64))
    assert (scored.sampled[:, 0, : len(LABELS)] > 0).all()


@pytest.mark.parametrize(("word", "label"), [("positivo", "positive"), ("Neutra", "neutral"), ("NEGATIVA", "negative")])
def test_portuguese_label_words_are_read(word: str, label: str) -> None:
    assert LabelWords(build_config(load_profile("desk-pt")).data.label_map).resolve(word) == label

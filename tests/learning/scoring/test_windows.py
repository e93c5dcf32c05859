"""Scoring of prompts that are longer than the sliding window of a model's attention."""

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_tokenizer
from learning.models.windows import Window
from learning.prompt.decoding import AnswerSpace, Decoding, find_answers
from learning.prompt.encoding import encode_prompts
from learning.scoring.scoring import score_headlines
from schemas.cell import PromptSettings
from schemas.label import Label
from tests.learning.models.families import WINDOWS

DECODINGS = [Decoding(1.0, None, None), Decoding(10.0, None, None)]
"""Without cuts, which would leave no label of a random model."""
LONG_WORDS = {Label.NEGATIVE: "zuqba", Label.NEUTRAL: "kwyjo", Label.POSITIVE: "gluvx"}
MASKED = ("mistral", "gemma3")
"""Families that take masks of ours; the prompts of the other are computed whole."""


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(MODEL_FOLDER)


def make_model(family: str, window: int) -> Any:
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(WINDOWS[family](window), dtype=torch.float32).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model


def score_and_count(
    model: Any, tokenizer: Any, answers: AnswerSpace, headlines: list[str], prompt: PromptSettings
) -> tuple[torch.Tensor, int]:
    """The probabilities, and how many tokens the model computed for them."""
    forward, tokens = model.forward, 0

    def count(*arguments: Any, **named: Any) -> Any:
        nonlocal tokens
        tokens += named["input_ids"].numel()
        return forward(*arguments, **named)

    model.forward = count
    measured = score_headlines(
        model, tokenizer, answers, headlines, prompt, DECODINGS, batch_tokens=1_000, on_batch=lambda _: None
    )
    model.forward = forward
    return measured.sampled, tokens


def score_alone(
    model: Any, tokenizer: Any, answers: AnswerSpace, headlines: list[str], prompt: PromptSettings
) -> torch.Tensor:
    with torch.inference_mode():
        alone = [
            torch.stack([model(input_ids=torch.tensor([[*ids, *path]])).logits[0, -1] for path in answers.paths])
            for ids in encode_prompts(headlines, tokenizer, prompt)
        ]
        return answers.label_probabilities(torch.stack(alone), DECODINGS).sampled


def check_alike(measured: torch.Tensor, expected: torch.Tensor) -> None:
    """Labels of random models have probabilities down to 1e-40, so that only their logarithms tell them apart."""
    assert measured.log().numpy() == pytest.approx(expected.log().numpy(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("family", WINDOWS)
@pytest.mark.parametrize(
    ("window", "words"),
    [(16, {}), (60, {}), (75, {}), (60, LONG_WORDS), (None, LONG_WORDS)],
    ids=["shorter than the prefix", "amid the prompts", "amid the long prompts", "several tokens", "amid the answers"],
)
def test_they_are_answered_as_the_model_does(
    family: str, window: int | None, words: dict[Label, str], tokenizer: Any, labelled: tuple[list[str], list[Label]]
) -> None:
    headlines, prompt = labelled[0][:28], PromptSettings(label_words=words) if words else PromptSettings()
    lengths = [len(ids) for ids in encode_prompts(headlines, tokenizer, prompt)]
    window = window or max(lengths)
    model = make_model(family, window)
    answers = find_answers(model, tokenizer, prompt)
    assert {length > 60 for length in lengths} == {True, False}
    measured, tokens = score_and_count(model, tokenizer, answers, headlines, prompt)
    check_alike(measured, score_alone(model, tokenizer, answers, headlines, prompt))
    if family in MASKED or window > max(lengths) + len(answers.nodes):
        assert tokens < len(answers.paths) * sum(lengths) / 2  # their prefix is computed once


@pytest.mark.parametrize("takes", ["other masks", "no masks"])
def test_a_model_that_does_not_take_our_masks_computes_them_whole(
    tokenizer: Any, labelled: tuple[list[str], list[Label]], monkeypatch: pytest.MonkeyPatch, takes: str
) -> None:
    def give(_: Window, whole: torch.Tensor, limited: torch.Tensor) -> torch.Tensor:
        if takes == "no masks":
            raise TypeError(limited)
        return whole

    monkeypatch.setattr(Window, "as_the_model_takes", give)
    model, prompt = make_model("gemma3", 16), PromptSettings()
    answers = find_answers(model, tokenizer, prompt)
    measured, _ = score_and_count(model, tokenizer, answers, labelled[0], prompt)
    check_alike(measured, score_alone(model, tokenizer, answers, labelled[0], prompt))


def test_a_lack_of_memory_does_not_count_as_a_model_that_does_not_take_them(
    tokenizer: Any, labelled: tuple[list[str], list[Label]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def give(*_: object) -> torch.Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Window, "as_the_model_takes", give)
    model, prompt = make_model("gemma3", 16), PromptSettings()
    with pytest.raises(torch.OutOfMemoryError):
        score_and_count(model, tokenizer, find_answers(model, tokenizer, prompt), labelled[0], prompt)

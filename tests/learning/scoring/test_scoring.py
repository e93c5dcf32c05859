"""Scoring has the probabilities that the model computes prompt by prompt, whatever the batch."""

from functools import partialmethod
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_new_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device
from learning.prompt.decoding import AnswerSpace, Decoding, LabelProbabilities, find_answers
from learning.prompt.encoding import encode_prompts
from learning.prompt.question import Example, Question
from learning.scoring import scoring
from learning.scoring.scoring import batch_size, score_headlines
from schemas.cell import PromptSettings
from schemas.errors import InputError
from schemas.label import LABELS, Label

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1_000)
PROMPT = PromptSettings()
HEADLINES = (
    "Profit rose .",
    "Sales of the Finnish company fell by a tenth in the second quarter",
    "A plant opens",
    "No",
)
NO_MEMORY_FOR_CUBLAS = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"
DECODINGS = [Decoding(0.1, 50, None), Decoding(1.0, 50, None), Decoding(10.0, 50, 0.9)]


@pytest.fixture(scope="module", params=["nf4", "none", "nf4 with adapter"])
def model(request: pytest.FixtureRequest) -> Any:
    """The embedded model; its adapter is random but not zero."""
    base = load_model(MODEL_FOLDER, request.param.removesuffix(" with adapter"), CPU)
    if not request.param.endswith("adapter"):
        return base
    adapted = attach_new_adapter(base, r=4, alpha=16, dropout=0.1, seed=1)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05, generator=torch.Generator().manual_seed(len(name)))
    return adapted.eval()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(MODEL_FOLDER)


def score_all(
    model: Any,
    tokenizer: Any,
    headlines: list[str],
    decodings: list[Decoding],
    prompt: PromptSettings = PROMPT,
    batch_tokens: int = 1_000,
) -> LabelProbabilities:
    answers = find_answers(model, tokenizer, prompt)
    return score_headlines(
        model, tokenizer, answers, headlines, prompt, decodings, batch_tokens=batch_tokens, on_batch=lambda _: None
    )


def score(model: Any, tokenizer: Any, headlines: list[str], batch_tokens: int = 1_000) -> torch.Tensor:
    return score_all(model, tokenizer, headlines, DECODINGS, batch_tokens=batch_tokens).sampled


@pytest.mark.slow
def test_probabilities_equal_those_of_the_model_prompt_by_prompt(
    model: Any, tokenizer: Any, labelled: tuple[list[str], list[Label]]
) -> None:
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    headlines = labelled[0]
    measured = score(model, tokenizer, headlines)
    for row, ids in enumerate(encode_prompts(headlines, tokenizer, PROMPT)):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits[:, -1]
        for column, decoding in enumerate(DECODINGS):
            scores = TemperatureLogitsWarper(decoding.temperature)(None, logits)
            scores = TopKLogitsWarper(decoding.top_k)(None, scores) if decoding.top_k else scores
            scores = TopPLogitsWarper(decoding.top_p)(None, scores) if decoding.top_p else scores
            probabilities = scores.softmax(dim=-1)[0]
            expected = [
                sum(probabilities[token].item() for token, text in enumerate(vocabulary(tokenizer)) if label in text)
                for label in LABELS
            ]
            assert measured[row, column, :3].tolist() == pytest.approx(expected, abs=2e-5)
    assert measured.sum(dim=-1).numpy() == pytest.approx(1.0)


def vocabulary(tokenizer: Any) -> list[str]:
    return [tokenizer.decode([token]) for token in range(len(tokenizer))]


@pytest.mark.parametrize("contexts", [False, True])
@pytest.mark.parametrize("step", [0, 1], ids=["fixed", "nearest"])
def test_prompts_with_examples_are_answered_as_the_model_does_prompt_by_prompt(
    tokenizer: Any, labelled: tuple[list[str], list[Label]], step: int, *, contexts: bool
) -> None:
    """Examples are in the cached prefix or after it; the expected value is computed from each whole prompt."""
    model = load_model(MODEL_FOLDER, "none", CPU)
    shown = [Example(*each) for each in zip(*labelled, strict=True)]
    before = [*labelled[0][20:][: len(HEADLINES) - 1], ""] if contexts else [""] * len(HEADLINES)
    questions = [Question(text, shown[step * row :][:3], before[row]) for row, text in enumerate(HEADLINES)]
    measured = score_all(model, tokenizer, questions, [Decoding(1.0, None, None)]).sampled[:, 0, :3]
    for row, ids in enumerate(encode_prompts(questions, tokenizer, PROMPT)):
        with torch.inference_mode():
            probabilities = model(input_ids=torch.tensor([ids])).logits[0, -1].double().softmax(dim=-1)
        tokens_of_labels = [
            [token for token, text in enumerate(vocabulary(tokenizer)) if label in text] for label in LABELS
        ]
        expected = [probabilities[tokens].sum().item() for tokens in tokens_of_labels]
        assert measured[row].tolist() == pytest.approx(expected, abs=2e-5)


def test_the_likeliest_label_is_the_word_that_generate_writes(
    model: Any, tokenizer: Any, labelled: tuple[list[str], list[Label]]
) -> None:
    headlines = labelled[0][:12]
    measured = score(model, tokenizer, headlines)[:, 0]
    for row, ids in enumerate(encode_prompts(headlines, tokenizer, PROMPT)):
        prompt = torch.tensor([ids])
        output = model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=1, do_sample=False, pad_token_id=1
        )
        word = tokenizer.decode(output[0, -1:])
        assert word == f" {LABELS[int(measured[row, :3].argmax())]}"


@pytest.mark.parametrize("batch_tokens", [1, 200, 100_000])
def test_neither_batch_nor_order_changes_a_probability(
    model: Any, tokenizer: Any, labelled: tuple[list[str], list[Label]], batch_tokens: int
) -> None:
    expected = score(model, tokenizer, labelled[0])
    reordered = score(model, tokenizer, labelled[0][::-1], batch_tokens).flip(0)
    assert reordered.numpy() == pytest.approx(expected.numpy(), abs=1e-4)
    assert torch.equal(reordered.argmax(dim=-1), expected.argmax(dim=-1))


def test_progress_counts_all_headlines_that_are_done(tokenizer: Any, labelled: tuple[list[str], list[Label]]) -> None:
    model, done = load_model(MODEL_FOLDER, "none", CPU), list[int]()
    answers = find_answers(model, tokenizer, PROMPT)
    score_headlines(model, tokenizer, answers, labelled[0], PROMPT, DECODINGS, batch_tokens=600, on_batch=done.append)
    assert len(done) > 2
    assert done == sorted(set(done))
    assert done[-1] == len(labelled[0])


def test_a_single_headline_can_be_scored(model: Any, tokenizer: Any, labelled: tuple[list[str], list[Label]]) -> None:
    alone = score(model, tokenizer, labelled[0][:1])
    assert alone.numpy() == pytest.approx(score(model, tokenizer, labelled[0])[:1].numpy(), abs=1e-4)


def test_labels_of_several_tokens_are_products_along_their_tokens(labelled: tuple[list[str], list[Label]]) -> None:
    model, tokenizer = load_model(MODEL_FOLDER, "none", CPU), load_tokenizer(MODEL_FOLDER)
    words = {Label.NEGATIVE: "zuqba", Label.NEUTRAL: "kwyjo", Label.POSITIVE: "gluvx"}
    prompt = PromptSettings(label_words=words)
    measured = score_all(model, tokenizer, labelled[0][:5], [Decoding(1.0, None, None)], prompt).sampled
    for row, ids in enumerate(encode_prompts(labelled[0][:5], tokenizer, prompt)):
        for column, label in enumerate(LABELS):
            path = tokenizer(f" {words[label]}", add_special_tokens=False)["input_ids"]
            assert len(path) > 1
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([[*ids, *path]])).logits[0]
            steps = logits.double().log_softmax(dim=-1)[len(ids) - 1 : -1]
            expected = steps[range(len(path)), path].sum().exp().item()
            assert expected > 0
            assert measured[row, 0, column].item() == pytest.approx(expected, rel=1e-3, abs=0)  # far below 1e-12


def test_a_headline_beyond_the_limit_of_the_model_is_refused(tokenizer: Any) -> None:
    with pytest.raises(InputError, match="the base model takes 512"):
        score(load_model(MODEL_FOLDER, "none", CPU), tokenizer, ["costs rose " * 400])


def test_a_batch_keeps_to_the_budget_but_has_at_least_one_row() -> None:
    assert [batch_size(longest, 60) for longest in (1, 7, 30, 31, 60, 200)] == [60, 8, 2, 1, 1, 1]


def test_a_lack_of_gpu_memory_halves_the_batch_and_scoring_continues(
    tokenizer: Any, labelled: tuple[list[str], list[Label]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(MODEL_FOLDER, "none", CPU)
    whole = score(model, tokenizer, labelled[0])
    forward, sizes = model.forward, []

    def small_memory(*args: Any, **kwargs: Any) -> Any:
        sizes.append(len(kwargs["input_ids"]))
        if sizes[-1] > 3:
            raise torch.OutOfMemoryError
        return forward(*args, **kwargs)

    monkeypatch.setattr(model, "forward", small_memory)
    result = score(model, tokenizer, labelled[0], batch_tokens=2_000)
    assert result.numpy() == pytest.approx(whole.numpy(), abs=1e-4)
    assert max(sizes) > 3
    for error in (torch.OutOfMemoryError(), RuntimeError("another fault")):
        failing = Mock(side_effect=error)
        monkeypatch.setattr(model, "forward", failing)
        with pytest.raises(type(error)):
            score(model, tokenizer, labelled[0])
    assert failing.call_count == 1


def test_pending_batches_are_finished_before_a_batch_is_halved(
    tokenizer: Any, labelled: tuple[list[str], list[Label]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(MODEL_FOLDER, "none", CPU)
    whole = score(model, tokenizer, labelled[0])
    forward, sizes = model.forward, []

    def short_memory(*args: Any, **kwargs: Any) -> Any:
        sizes.append(len(kwargs["input_ids"]))
        if len(sizes) == 3:  # the prefix and a batch came before
            raise RuntimeError(NO_MEMORY_FOR_CUBLAS)
        return forward(*args, **kwargs)

    monkeypatch.setitem(scoring.IN_FLIGHT, "cpu", 2)
    monkeypatch.setattr(model, "forward", short_memory)
    result = score(model, tokenizer, labelled[0], batch_tokens=600)
    assert result.numpy() == pytest.approx(whole.numpy(), abs=1e-4)
    assert sizes[2] == sizes[3]
    assert len(sizes) > 4


def test_a_lack_of_gpu_memory_for_probabilities_halves_the_rows(
    tokenizer: Any, labelled: tuple[list[str], list[Label]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(MODEL_FOLDER, "none", CPU)
    whole = score(model, tokenizer, labelled[0], batch_tokens=2_000)
    answer, sizes = AnswerSpace.label_probabilities, []

    def small_memory(self: AnswerSpace, logits: torch.Tensor, decodings: Any, most: int = 3) -> LabelProbabilities:
        sizes.append(len(logits))
        if len(logits) > most:
            raise RuntimeError(NO_MEMORY_FOR_CUBLAS)
        return answer(self, logits, decodings)

    monkeypatch.setattr(AnswerSpace, "label_probabilities", small_memory)
    result = score(model, tokenizer, labelled[0], batch_tokens=2_000)
    assert result.numpy() == pytest.approx(whole.numpy(), abs=1e-12)
    assert sizes[0] > 3
    monkeypatch.setattr(AnswerSpace, "label_probabilities", partialmethod(small_memory, most=0))
    with pytest.raises(RuntimeError, match=NO_MEMORY_FOR_CUBLAS):
        score(model, tokenizer, labelled[0], batch_tokens=2_000)

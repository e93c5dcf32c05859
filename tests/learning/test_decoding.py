"""Sampling in closed form gives what sampling would: checked against transformers' own cuts and by brute force."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from embedded.paths import MODEL_FOLDER
from learning.base_model import load_tokenizer
from learning.decoding import AnswerSpace, Decoding, sampling_log_probabilities
from learning.encoding import answer_tokens
from schemas.config import PromptSettings
from schemas.label import LABELS, Label

WORDS = {Label.NEGATIVE: "dn", Label.NEUTRAL: "nd", Label.POSITIVE: "up"}
UNIFORM = Decoding(temperature=1.0, top_k=None, top_p=None)
DECODINGS = [
    Decoding(temperature, top_k, top_p)
    for temperature, top_k, top_p in product((0.1, 1.0, 10.0), (None, 3, 50), (None, 0.6))
]


def warped_probabilities(logits: torch.Tensor, decoding: Decoding) -> torch.Tensor:
    """What transformers' `generate` would sample from."""
    scores = TemperatureLogitsWarper(decoding.temperature)(None, logits.double())
    if decoding.top_k is not None:
        scores = TopKLogitsWarper(decoding.top_k)(None, scores)
    if decoding.top_p is not None:
        scores = TopPLogitsWarper(decoding.top_p)(None, scores)
    return scores.softmax(dim=-1)


@pytest.mark.parametrize("decoding", DECODINGS, ids=str)
def test_random_logits_give_the_librarys_probabilities(decoding: Decoding) -> None:
    logits = torch.randn(20, 200, generator=torch.Generator().manual_seed(1)) * 4
    expected = warped_probabilities(logits, decoding)
    assert torch.allclose(sampling_log_probabilities(logits, decoding).exp(), expected, rtol=1e-12, atol=1e-15)
    assert torch.equal(sampling_log_probabilities(logits, decoding).isneginf(), expected == 0)


@settings(deadline=None)
@given(
    logits=st.lists(st.integers(-3, 3), min_size=2, max_size=12),
    temperature=st.sampled_from([0.1, 1.0, 10.0]),
    top_k=st.none() | st.integers(1, 15),
    top_p=st.none() | st.floats(0.01, 1.0),
)
def test_ties_are_cut_as_the_library_cuts_them(
    logits: list[int], temperature: float, top_k: int | None, top_p: float | None
) -> None:
    row, decoding = torch.tensor([logits], dtype=torch.float64), Decoding(temperature, top_k, top_p)
    expected = warped_probabilities(row, decoding)
    assert torch.allclose(sampling_log_probabilities(row, decoding).exp(), expected, rtol=1e-12, atol=1e-15)


def test_ties_at_the_kth_place_all_stay() -> None:
    logits = torch.tensor([2.0, 1.0, 1.0, 0.0])
    kept = sampling_log_probabilities(logits, Decoding(1.0, top_k=2, top_p=None)).isfinite()
    assert kept.tolist() == [True, True, True, False]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_short_float_type_is_no_limit_to_the_arithmetic(dtype: torch.dtype) -> None:
    logits = torch.tensor([[300.0, -300.0, 296.0]], dtype=dtype)
    result = sampling_log_probabilities(logits, Decoding(0.001, top_k=None, top_p=None))
    assert result.dtype == torch.float64
    assert result[0, 1] == pytest.approx((float(logits[0, 1]) - float(logits[0, 0])) / 0.001)


@pytest.fixture(scope="module")
def small_tokenizer(make_tokenizer: Callable[..., Any]) -> Any:
    """14 tokens: " up" is one token after a prompt, " nd" two and " dn" three; "up" is a token of its own."""
    return make_tokenizer("undpx[]= \n", [(" ", "u"), (" u", "p"), (" ", "n"), ("u", "p")])


@pytest.fixture(scope="module")
def small_space(small_tokenizer: Any) -> AnswerSpace:
    prompt = PromptSettings(instruction="x", label_words=WORDS)
    return AnswerSpace(small_tokenizer, WORDS, answer_tokens(small_tokenizer, prompt))


def random_logits(vocabulary: int, count: int = 3) -> list[torch.Tensor]:
    """A model of three tokens: logits [N, V], then [N, V, V] and [N, V, V, V], indexed by the tokens before."""
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(count, *[vocabulary] * depth, generator=generator) * 2 for depth in (1, 2, 3)]


def continue_along(path: Sequence[int], logits: list[torch.Tensor]) -> torch.Tensor:
    """[N, L - 1, V]: the logits that the model gives behind each proper beginning of the path."""
    rows = [logits[depth][(slice(None), *path[:depth])] for depth in range(1, len(path))]
    return torch.stack(rows, dim=1)


def enumerate_outputs(
    space: AnswerSpace, tokenizer: Any, logits: list[torch.Tensor], decoding: Decoding
) -> torch.Tensor:
    """[N, 4] by going through every output of three tokens."""
    first, second, third = (warped_probabilities(it.flatten(0, -2), decoding).view_as(it) for it in logits)
    joint = first[:, :, None, None] * second[:, :, :, None] * third
    result = torch.zeros(len(joint), 4, dtype=torch.float64)
    for output in product(range(len(tokenizer)), repeat=3):
        column = 3
        for row, label in enumerate(LABELS):
            path = space.paths.get(label, (None,))
            if WORDS[label] in tokenizer.decode([output[0]]) or output[: len(path)] == path:
                column = row
        result[:, column] += joint[(slice(None), *output)]
    return result


def test_only_labels_of_several_tokens_need_a_path(small_tokenizer: Any, small_space: AnswerSpace) -> None:
    paths = {label: [small_tokenizer.decode([it]) for it in path] for label, path in small_space.paths.items()}
    assert paths == {Label.NEGATIVE: [" ", "d", "n"], Label.NEUTRAL: [" n", "d"]}
    positive = [small_tokenizer.decode([token]) for token in small_space.first_tokens[Label.POSITIVE].tolist()]
    assert positive == [" up", "up"]


@pytest.mark.parametrize("decoding", [d for d in DECODINGS if d.top_k != 50], ids=str)
def test_labels_of_several_tokens_have_the_probability_that_enumeration_gives(
    small_tokenizer: Any, small_space: AnswerSpace, decoding: Decoding
) -> None:
    logits = random_logits(len(small_tokenizer))
    continued = {label: continue_along(path, logits) for label, path in small_space.paths.items()}
    [result] = small_space.label_probabilities(logits[0], continued, [decoding]).unbind(dim=1)
    expected = enumerate_outputs(small_space, small_tokenizer, logits, decoding)
    assert torch.allclose(result, expected, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def embedded_tokenizer() -> Any:
    return load_tokenizer(MODEL_FOLDER)


@pytest.fixture(scope="module")
def embedded_space(embedded_tokenizer: Any) -> AnswerSpace:
    prompt = PromptSettings()
    return AnswerSpace(embedded_tokenizer, prompt.label_words, answer_tokens(embedded_tokenizer, prompt))


def test_labels_of_one_token_have_the_probability_of_the_tokens_that_hold_their_word(
    embedded_tokenizer: Any, embedded_space: AnswerSpace
) -> None:
    logits = torch.randn(4, len(embedded_tokenizer), generator=torch.Generator().manual_seed(2)) * 3
    texts = [embedded_tokenizer.decode([token]) for token in range(len(embedded_tokenizer))]
    result = embedded_space.label_probabilities(logits, {}, DECODINGS)
    assert embedded_space.paths == {}
    assert result.shape == (4, len(DECODINGS), 4)
    for column, decoding in enumerate(DECODINGS):
        sampled = warped_probabilities(logits, decoding)
        for row, label in enumerate(LABELS):
            expected = sampled[:, [label.value in text for text in texts]].sum(dim=-1)
            assert torch.allclose(result[:, column, row], expected, rtol=1e-9, atol=1e-12)


def test_every_first_token_of_a_label_holds_its_word(embedded_tokenizer: Any, embedded_space: AnswerSpace) -> None:
    answers = answer_tokens(embedded_tokenizer, PromptSettings())
    for label in LABELS:
        tokens = embedded_space.first_tokens[label].tolist()
        assert answers[label][0] in tokens
        assert all(label.value in embedded_tokenizer.decode([token]) for token in tokens)


def test_probabilities_are_not_negative_and_sum_to_one(embedded_tokenizer: Any, embedded_space: AnswerSpace) -> None:
    logits = torch.randn(50, len(embedded_tokenizer), generator=torch.Generator().manual_seed(3)) * 3
    logits[::2, embedded_space.first_tokens[Label.NEUTRAL]] += 40
    result = embedded_space.label_probabilities(logits, {}, DECODINGS)
    assert (result >= 0).all()
    assert torch.allclose(result.sum(dim=-1), torch.ones(50, len(DECODINGS), dtype=torch.float64))


@pytest.mark.parametrize("broken", [torch.nan, torch.inf, -torch.inf])
def test_logits_that_are_no_numbers_are_unparsed(
    embedded_tokenizer: Any, embedded_space: AnswerSpace, broken: float
) -> None:
    logits = torch.zeros(2, len(embedded_tokenizer))
    whole = embedded_space.label_probabilities(logits, {}, [UNIFORM])
    logits[0, 7] = broken
    result = embedded_space.label_probabilities(logits, {}, [UNIFORM])
    assert result[0, 0].tolist() == [0, 0, 0, 1]
    assert torch.equal(result[1], whole[1])


def test_a_model_that_breaks_within_a_label_is_unparsed(small_tokenizer: Any, small_space: AnswerSpace) -> None:
    logits = random_logits(len(small_tokenizer))
    continued = {label: continue_along(path, logits) for label, path in small_space.paths.items()}
    whole = small_space.label_probabilities(logits[0], continued, [UNIFORM])
    continued[Label.NEGATIVE][1, 0, 4] = torch.nan
    result = small_space.label_probabilities(logits[0], continued, [UNIFORM])
    assert result[1, 0].tolist() == [0, 0, 0, 1]
    assert torch.equal(result[::2], whole[::2])

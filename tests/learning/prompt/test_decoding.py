"""Probabilities in closed form are those of sampling: checked against transformers' cuts and by brute force."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_tokenizer
from learning.prompt.decoding import (
    UNPARSED,
    AnswerSpace,
    Decoding,
    LabelProbabilities,
    keep_candidates,
    sampling_log_probabilities,
)
from learning.prompt.encoding import answer_paths
from learning.prompt.not_finite import NotFiniteError
from learning.prompt.template import spellings
from schemas.cell import PromptSettings
from schemas.label import LABELS, Label

WORDS = {Label.NEGATIVE: "dn", Label.NEUTRAL: "nd", Label.POSITIVE: "up"}
UNIFORM = Decoding(temperature=1.0, top_k=None, top_p=None)
DECODINGS = [
    Decoding(temperature, top_k, top_p)
    for temperature, top_k, top_p in product((0.1, 1.0, 10.0), (None, 3, 50), (None, 0.6))
]


def warped_probabilities(logits: torch.Tensor, decoding: Decoding) -> torch.Tensor:
    """The probabilities that transformers' `generate` samples from."""
    scores = TemperatureLogitsWarper(decoding.temperature)(None, logits.double())
    if decoding.top_k is not None:
        scores = TopKLogitsWarper(decoding.top_k)(None, scores)
    if decoding.top_p is not None:
        scores = TopPLogitsWarper(decoding.top_p)(None, scores)
    return scores.softmax(dim=-1)


def sampled_probabilities(logits: torch.Tensor, decoding: Decoding) -> torch.Tensor:
    """[N, V]: the probabilities that fintone samples from."""
    kept = keep_candidates(logits, decoding.top_k)
    sampled = sampling_log_probabilities(kept.logits, decoding.temperature, decoding.top_p).exp()
    return torch.zeros(logits.shape, dtype=torch.float64).scatter(-1, kept.tokens, sampled)


def test_a_vocabulary_may_skip_numbers() -> None:
    model = WordLevel({"up": 0, "dn": 2, "nd": 7, "[UNK]": 8}, unk_token="[UNK]")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), unk_token="[UNK]")
    words = {label: (word,) for label, word in WORDS.items()}
    space = AnswerSpace(
        tokenizer, 10, words, {label: [(token,)] for label, token in zip(LABELS, (2, 7, 0), strict=True)}
    )
    negative, neutral, positive = range(3)
    assert space.owners.tolist() == [positive, UNPARSED, negative, *[UNPARSED] * 4, neutral, *[UNPARSED] * 2]


@pytest.mark.parametrize("decoding", DECODINGS, ids=str)
def test_random_logits_give_the_librarys_probabilities(decoding: Decoding) -> None:
    logits = torch.randn(20, 200, generator=torch.Generator().manual_seed(1)) * 4
    expected = warped_probabilities(logits, decoding)
    assert torch.allclose(sampled_probabilities(logits, decoding), expected, rtol=1e-12, atol=1e-15)
    assert torch.equal(sampled_probabilities(logits, decoding) == 0, expected == 0)


@settings(deadline=None)
@given(
    logits=st.lists(st.lists(st.integers(-3, 3), min_size=9, max_size=9), min_size=1, max_size=3),
    temperature=st.sampled_from([0.1, 1.0, 10.0]),
    top_k=st.none() | st.integers(1, 12),
    top_p=st.none() | st.floats(0.01, 1.0),
)
def test_ties_are_cut_as_the_library_cuts_them(
    logits: list[list[int]], temperature: float, top_k: int | None, top_p: float | None
) -> None:
    rows, decoding = torch.tensor(logits, dtype=torch.float64), Decoding(temperature, top_k, top_p)
    expected = warped_probabilities(rows, decoding)
    assert torch.allclose(sampled_probabilities(rows, decoding), expected, rtol=1e-12, atol=1e-15)


def test_ties_at_the_kth_place_all_stay_and_other_rows_keep_k() -> None:
    logits = torch.tensor([[2.0, 1.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0]])
    kept = sampled_probabilities(logits, Decoding(1.0, top_k=2, top_p=None)) > 0
    assert kept.tolist() == [[True, True, True, False], [True, True, False, False]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_logits_of_a_short_float_type_are_computed_in_float64(dtype: torch.dtype) -> None:
    logits = torch.tensor([[300.0, -300.0, 296.0]], dtype=dtype)
    result = sampling_log_probabilities(keep_candidates(logits, None).logits, 0.001, None)
    assert result.dtype == torch.float64
    assert result[0, 1] == pytest.approx((float(logits[0, 1]) - float(logits[0, 0])) / 0.001)


@pytest.fixture(scope="module")
def small_tokenizer(make_tokenizer: Callable[..., Any]) -> Any:
    """Few tokens: " up" is one token after a prompt, " nd" two and " dn" three; "up" is a token of its own."""
    return make_tokenizer("undpxUND[]= \n", [(" ", "u"), (" u", "p"), (" ", "n"), ("u", "p")])


def build_space(tokenizer: Any, prompt: PromptSettings, vocabulary: int | None = None) -> AnswerSpace:
    return AnswerSpace(tokenizer, vocabulary or len(tokenizer), spellings(prompt), answer_paths(tokenizer, prompt))


@pytest.fixture(scope="module", params=["exact", "any"])
def small_prompt(request: pytest.FixtureRequest) -> PromptSettings:
    return PromptSettings(instruction="x", label_words=WORDS, spellings=request.param)


@pytest.fixture(scope="module")
def small_space(small_tokenizer: Any, small_prompt: PromptSettings) -> AnswerSpace:
    return build_space(small_tokenizer, small_prompt)


def random_logits(vocabulary: int, count: int = 3) -> list[torch.Tensor]:
    """A model of three tokens: logits [N, V], then [N, V, V] and [N, V, V, V], indexed by the tokens before."""
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(count, *[vocabulary] * depth, generator=generator) * 2 for depth in (1, 2, 3)]


def logits_after_nodes(space: AnswerSpace, logits: list[torch.Tensor]) -> torch.Tensor:
    """[N, K, V]: the logits that the model gives after each node."""
    runs: list[tuple[int, ...]] = [()]
    for parent, token in space.nodes:
        runs.append((*runs[parent], token))
    return torch.stack([logits[len(run)][(slice(None), *run)] for run in runs], dim=1)


def outcome(output: Sequence[int], tokenizer: Any, words: Mapping[Label, Sequence[str]], *, bare: bool) -> int:
    """The label of three tokens, read from their text by the rule in the docstring of `AnswerSpace`."""
    for column, label in enumerate(LABELS):
        if any(word in tokenizer.decode(output[:1]) for word in words[label]):
            return column
    for column, label in enumerate(LABELS):
        for spelling in [f" {word}" for word in words[label]] + (list(words[label]) if bare else []):
            tokens = tokenizer(f"={spelling}")["input_ids"][1:]
            if len(tokens) <= len(output) and list(output[: len(tokens)]) == tokens:
                return column
    return UNPARSED


@pytest.fixture(scope="module")
def outcomes(small_tokenizer: Any, small_prompt: PromptSettings) -> torch.Tensor:
    """[V * V * V]: the label of every run of three tokens."""
    words, bare = spellings(small_prompt), small_prompt.spellings == "any"
    runs = product(range(len(small_tokenizer)), repeat=3)
    return torch.tensor([outcome(run, small_tokenizer, words, bare=bare) for run in runs])


@pytest.mark.parametrize("decoding", [d for d in DECODINGS if d.top_k != 50], ids=str)
def test_labels_of_several_tokens_have_the_probability_that_enumeration_gives(
    small_tokenizer: Any, outcomes: torch.Tensor, small_space: AnswerSpace, decoding: Decoding
) -> None:
    logits = random_logits(len(small_tokenizer))
    first, second, third = (warped_probabilities(it.flatten(0, -2), decoding).view_as(it) for it in logits)
    joint = first[:, :, None, None] * second[:, :, :, None] * third
    expected = torch.zeros(len(joint), 4, dtype=torch.float64).index_add_(1, outcomes, joint.flatten(1))
    result = small_space.label_probabilities(logits_after_nodes(small_space, logits), [decoding])
    assert torch.allclose(result.sampled[:, 0], expected, rtol=1e-9, atol=1e-12)


def test_the_argmax_is_the_answer_of_greedy_generation(
    small_tokenizer: Any, small_prompt: PromptSettings, small_space: AnswerSpace
) -> None:
    logits = random_logits(len(small_tokenizer), count=20)
    runs: list[tuple[int, ...]] = [()]
    for parent, token in small_space.nodes:
        runs.append((*runs[parent], token))
    for row, leaf in zip(range(0, 20, 2), cycle(small_space.leaves)):
        run = (*runs[leaf.node], leaf.token)
        for place in range(len(run)):
            logits[place][(row, *run[: place + 1])] += 20
    result = small_space.label_probabilities(logits_after_nodes(small_space, logits), [UNIFORM]).argmax
    words, bare = spellings(small_prompt), small_prompt.spellings == "any"
    for row in range(20):
        output: list[int] = []
        for depth in logits:
            output.append(int(depth[(row, *output)].argmax()))
        assert result[row] == outcome(output, small_tokenizer, words, bare=bare)
    assert len(set(result.tolist())) > 2


def test_only_labels_of_several_tokens_need_a_path(small_tokenizer: Any) -> None:
    space = build_space(small_tokenizer, PromptSettings(instruction="x", label_words=WORDS))
    runs = [""]
    for parent, token in space.nodes:
        runs.append(runs[parent] + small_tokenizer.decode([token]))
    assert runs == ["", " ", " n", " d"]
    ends = {(LABELS[leaf.outcome], runs[leaf.node], small_tokenizer.decode([leaf.token])) for leaf in space.leaves}
    assert ends == {(Label.NEGATIVE, " d", "n"), (Label.NEUTRAL, " n", "d")}


def test_a_token_that_holds_a_spelling_of_a_label_is_that_label(small_tokenizer: Any, small_space: AnswerSpace) -> None:
    first = (small_space.owners == LABELS.index(Label.POSITIVE)).nonzero().flatten().tolist()
    assert [small_tokenizer.decode([token]) for token in first] == [" up", "up"]


def test_spellings_in_capitals_count_only_if_any_spelling_does(small_tokenizer: Any) -> None:
    texts = {
        spelling: {small_tokenizer.decode([leaf.token]) for leaf in build_space(small_tokenizer, prompt).leaves}
        for spelling in ("exact", "any")
        if (prompt := PromptSettings(instruction="x", label_words=WORDS, spellings=spelling))
    }
    assert texts["exact"] == {"n", "d"}
    assert {"N", "D"} <= texts["any"]


def test_logits_beyond_the_tokenizers_tokens_are_unparsed(small_tokenizer: Any) -> None:
    space = build_space(small_tokenizer, PromptSettings(instruction="x", label_words=WORDS), len(small_tokenizer) + 9)
    logits = torch.zeros(1, 1 + len(space.nodes), len(small_tokenizer) + 9)
    logits[..., -1] = 99
    assert space.label_probabilities(logits, [UNIFORM]).sampled[0, 0].tolist() == pytest.approx([0, 0, 0, 1])


@pytest.fixture(scope="module")
def embedded_tokenizer() -> Any:
    return load_tokenizer(MODEL_FOLDER)


@pytest.fixture(scope="module")
def embedded_space(embedded_tokenizer: Any) -> AnswerSpace:
    return build_space(embedded_tokenizer, PromptSettings())


def answer_all(space: AnswerSpace, logits: torch.Tensor, decodings: Sequence[Decoding]) -> torch.Tensor:
    """[N, D, 4] of decodings that differ in top-k too."""
    answers: list[LabelProbabilities] = [space.label_probabilities(logits, [decoding]) for decoding in decodings]
    return torch.cat([answer.sampled for answer in answers], dim=1)


def test_labels_of_one_token_have_the_probability_of_the_tokens_that_hold_their_word(
    embedded_tokenizer: Any, embedded_space: AnswerSpace
) -> None:
    logits = torch.randn(4, 1, len(embedded_tokenizer), generator=torch.Generator().manual_seed(2)) * 3
    texts = [embedded_tokenizer.decode([token]) for token in range(len(embedded_tokenizer))]
    result = answer_all(embedded_space, logits, DECODINGS)
    assert embedded_space.nodes == embedded_space.leaves == ()
    assert result.shape == (4, len(DECODINGS), 4)
    for column, decoding in enumerate(DECODINGS):
        sampled = warped_probabilities(logits[:, 0], decoding)
        for row, label in enumerate(LABELS):
            expected = sampled[:, [label.value in text for text in texts]].sum(dim=-1)
            assert torch.allclose(result[:, column, row], expected, rtol=1e-9, atol=1e-12)


def test_temperatures_in_one_pass_give_the_probabilities_of_a_pass_for_each(embedded_space: AnswerSpace) -> None:
    logits = torch.randn(4, 1, len(embedded_space.owners), generator=torch.Generator().manual_seed(2)) * 3
    decodings = [Decoding(temperature, 50, 0.9) for temperature in (0.1, 1.0, 10.0)]
    together = embedded_space.label_probabilities(logits, decodings).sampled
    assert torch.equal(together, answer_all(embedded_space, logits, decodings))


def test_every_first_token_of_a_label_holds_its_word(embedded_tokenizer: Any, embedded_space: AnswerSpace) -> None:
    answers = answer_paths(embedded_tokenizer, PromptSettings())
    for number, label in enumerate(LABELS):
        tokens = (embedded_space.owners == number).nonzero().flatten().tolist()
        assert answers[label][0][0] in tokens
        assert all(label.value in embedded_tokenizer.decode([token]) for token in tokens)


def test_probabilities_are_not_negative_and_sum_to_one(embedded_space: AnswerSpace) -> None:
    logits = torch.randn(50, 1, len(embedded_space.owners), generator=torch.Generator().manual_seed(3)) * 3
    logits[::2, :, embedded_space.owners == LABELS.index(Label.NEUTRAL)] += 40
    result = answer_all(embedded_space, logits, DECODINGS)
    assert (result >= 0).all()
    assert torch.allclose(result.sum(dim=-1), torch.ones(50, len(DECODINGS), dtype=torch.float64))


@pytest.mark.parametrize("broken", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("decoding", [UNIFORM, Decoding(1.0, 50, None), Decoding(1.0, 50, 0.9)], ids=str)
def test_logits_that_are_no_numbers_are_an_error(
    embedded_space: AnswerSpace, broken: float, decoding: Decoding
) -> None:
    logits = torch.zeros(2, 1, len(embedded_space.owners))
    embedded_space.label_probabilities(logits, [decoding])
    logits[0, 0, 7] = broken
    with pytest.raises(NotFiniteError, match="its logits are NaN or infinite, which is no answer"):
        embedded_space.label_probabilities(logits, [decoding])


def test_a_model_that_breaks_within_a_label_is_an_error(small_tokenizer: Any, small_space: AnswerSpace) -> None:
    logits = logits_after_nodes(small_space, random_logits(len(small_tokenizer)))
    logits[1, -1, 4] = torch.nan
    with pytest.raises(NotFiniteError):
        small_space.label_probabilities(logits, [UNIFORM])

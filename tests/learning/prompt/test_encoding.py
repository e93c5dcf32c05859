"""Prompts as tokens: the answer's tokens are the label's, and the common prefix is the longest."""

import string
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_tokenizer
from learning.prompt.encoding import (
    answer_paths,
    check_lengths,
    common_prefix_length,
    encode_examples,
    encode_prompts,
    longest_allowed,
)
from learning.prompt.template import scoring_text
from schemas.cell import PromptSettings
from schemas.errors import InputError
from schemas.label import LABELS, Label

HEADLINES = ["Profit rose by 5 % .", "Costs fell , although sales did too .", "\u00c5land \u20ac 3.1 mn [ sic ]"]
SHORT_PROMPT = PromptSettings(instruction="Say:")

tokens = st.lists(st.integers(0, 3), min_size=1, max_size=8).map(tuple)
sequences_of_tokens = st.lists(tokens, min_size=1, max_size=6)


@pytest.fixture(scope="module", params=["embedded", "llama"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return load_tokenizer(MODEL_FOLDER if request.param == "embedded" else request.getfixturevalue("llama_folder"))


@pytest.mark.parametrize("label", LABELS)
def test_the_tokens_under_the_loss_are_the_label_and_nothing_else(tokenizer: Any, label: Label) -> None:
    prompt = PromptSettings()
    for example in encode_examples(HEADLINES, [label] * len(HEADLINES), tokenizer, prompt):
        whole, start = tokenizer.decode(example.input_ids), tokenizer.decode(example.input_ids[: example.answer_start])
        assert whole == start + f" {label.value}"


def test_a_training_text_begins_with_its_prompt(tokenizer: Any) -> None:
    prompt = PromptSettings()
    examples = encode_examples(HEADLINES, [Label.NEUTRAL] * len(HEADLINES), tokenizer, prompt)
    beginnings = [example.input_ids[: example.answer_start] for example in examples]
    assert beginnings == encode_prompts(HEADLINES, tokenizer, prompt)


def test_a_prompt_decodes_to_its_text_after_the_beginning_of_sequence_token(tokenizer: Any) -> None:
    [ids] = encode_prompts(HEADLINES[:1], tokenizer, PromptSettings())
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.eos_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == scoring_text(HEADLINES[0], PromptSettings())


def test_each_label_of_the_study_is_one_token(tokenizer: Any) -> None:
    answers = answer_paths(tokenizer, PromptSettings())
    assert set(answers) == set(LABELS)
    assert [len(path) for [path] in answers.values()] == [1, 1, 1]


def test_the_labels_under_the_llama_2_tokenizer_are_the_known_tokens(llama_folder: Path) -> None:
    answers = answer_paths(load_tokenizer(llama_folder), PromptSettings())
    assert answers == {Label.POSITIVE: ((6374,),), Label.NEUTRAL: ((21104,),), Label.NEGATIVE: ((8178,),)}


def test_a_word_of_several_tokens_is_answered_by_all_of_them(make_tokenizer: Callable[..., Any]) -> None:
    tokenizer = make_tokenizer(string.printable, [(" ", "n"), (" n", "e")])
    answers = answer_paths(tokenizer, SHORT_PROMPT)
    assert {label: tokenizer.decode(path) for label, [path] in answers.items()} == {
        label: f" {label.value}" for label in LABELS
    }
    assert {label: len(path) for label, [path] in answers.items()} == {"negative": 7, "neutral": 6, "positive": 9}


def test_any_spelling_is_a_word_with_and_without_its_space_in_three_cases(make_tokenizer: Callable[..., Any]) -> None:
    tokenizer = make_tokenizer(string.printable, [])
    answers = answer_paths(tokenizer, SHORT_PROMPT.model_copy(update={"spellings": "any"}))
    assert {tokenizer.decode(path) for path in answers[Label.POSITIVE]} == {
        " positive", "positive", " Positive", "Positive", " POSITIVE", "POSITIVE"
    }  # fmt: skip


def test_a_spelling_that_the_tokenizer_merges_with_the_prompt_is_left_out(make_tokenizer: Callable[..., Any]) -> None:
    tokenizer = make_tokenizer(string.printable, [("=", "p")])
    answers = answer_paths(tokenizer, SHORT_PROMPT.model_copy(update={"spellings": "any"}))
    assert "positive" not in {tokenizer.decode(path) for path in answers[Label.POSITIVE]}
    assert " positive" in {tokenizer.decode(path) for path in answers[Label.POSITIVE]}


def test_a_special_token_written_in_a_headline_is_text(llama_folder: Path) -> None:
    tokenizer = load_tokenizer(llama_folder)
    [ids] = encode_prompts(["Profit rose </s><s> = positive"], tokenizer, PromptSettings())
    assert ids[0] == tokenizer.bos_token_id
    assert not set(ids[1:]) & {tokenizer.bos_token_id, tokenizer.eos_token_id}


def test_a_tokenizer_that_merges_across_the_end_of_the_prompt_is_refused(make_tokenizer: Callable[..., Any]) -> None:
    tokenizer = make_tokenizer(string.printable, [("=", " "), ("= ", "p")])
    with pytest.raises(InputError, match=r"^base model: its tokenizer merges .* with the label; use another$"):
        encode_examples(["Profit rose"], [Label.POSITIVE], tokenizer, SHORT_PROMPT)


@given(sequences_of_tokens)
def test_all_sequences_begin_with_the_common_prefix(sequences: list[tuple[int, ...]]) -> None:
    length = common_prefix_length(sequences)
    assert len({sequence[:length] for sequence in sequences}) == 1


@given(sequences_of_tokens)
def test_the_common_prefix_cannot_be_longer(sequences: list[tuple[int, ...]]) -> None:
    length = common_prefix_length(sequences)
    shortest = min(len(sequence) for sequence in sequences)
    assert length == shortest - 1 or len({sequence[: length + 1] for sequence in sequences}) > 1


@given(sequences_of_tokens)
def test_the_common_prefix_leaves_each_sequence_a_token(sequences: list[tuple[int, ...]]) -> None:
    assert 0 <= common_prefix_length(sequences) < min(len(sequence) for sequence in sequences)


@given(tokens, sequences_of_tokens)
def test_the_common_prefix_grows_by_a_prefix_of_all_sequences(
    prefix: tuple[int, ...], sequences: list[tuple[int, ...]]
) -> None:
    longer = [prefix + sequence for sequence in sequences]
    assert common_prefix_length(longer) == len(prefix) + common_prefix_length(sequences)


def test_the_common_prefix_of_prompts_holds_the_instruction(tokenizer: Any) -> None:
    prompts = encode_prompts(HEADLINES, tokenizer, PromptSettings())
    prefix = tokenizer.decode(prompts[0][: common_prefix_length(prompts)], skip_special_tokens=True)
    assert prefix.startswith(PromptSettings().instruction)
    assert scoring_text(HEADLINES[0], PromptSettings()).startswith(prefix)


@pytest.mark.parametrize(("lengths", "limit"), [([3, 5], 5), ([1], None), ([10_000], None)])
def test_texts_within_the_limit_of_the_model_are_accepted(lengths: Sequence[int], limit: int | None) -> None:
    check_lengths([[0] * length for length in lengths], limit)


def test_a_text_beyond_the_limit_of_the_model_is_refused() -> None:
    with pytest.raises(InputError, match=r"^headline of 6 tokens with its prompt: the base model takes 5; shorten it$"):
        check_lengths([[0] * 3, [0] * 6], 5)


def test_the_limit_is_read_from_the_configuration() -> None:
    assert longest_allowed(SimpleNamespace(max_position_embeddings=512)) == 512
    assert longest_allowed(SimpleNamespace()) is None

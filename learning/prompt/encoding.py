"""Prompts as tokens: training and test forms, and the prefix that all prompts have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from learning.prompt.template import scoring_text, spellings, training_text
from schemas.cell import PromptSettings
from schemas.errors import InputError
from schemas.label import Label


@dataclass(frozen=True)
class EncodedExample:
    """A training text as tokens. `input_ids[answer_start:]` are the tokens of the label."""

    input_ids: tuple[int, ...]
    answer_start: int


def encode_prompts(headlines: Sequence[str], tokenizer: Any, prompt: PromptSettings) -> list[tuple[int, ...]]:
    """Tokenise the test form of each headline, with the tokenizer's special tokens in front."""
    texts = [scoring_text(headline, prompt) for headline in headlines]
    return _tokenise(texts, tokenizer)


def encode_examples(
    headlines: Sequence[str], labels: Sequence[Label], tokenizer: Any, prompt: PromptSettings
) -> list[EncodedExample]:
    """Tokenise the training form of each headline.

    Raises:
        InputError: The tokenizer merges the end of the prompt with the label, which then has no separate tokens.
    """
    texts = [training_text(headline, label, prompt) for headline, label in zip(headlines, labels, strict=True)]
    prompts = encode_prompts(headlines, tokenizer, prompt)
    examples = []
    for ids, start in zip(_tokenise(texts, tokenizer), prompts, strict=True):
        if ids[: len(start)] != start or len(ids) == len(start):
            raise InputError(
                "base model: its tokenizer merges the prompt's last characters with the label; use another"
            )
        examples.append(EncodedExample(ids, len(start)))
    return examples


def _tokenise(texts: list[str], tokenizer: Any) -> list[tuple[int, ...]]:
    """Token ids of each text, without an end-of-text token that the tokenizer adds, since the text continues.

    Text that looks like a special token, such as `</s>`, is encoded as ordinary text.
    """
    end = tokenizer.eos_token_id
    encoded = tokenizer(texts, split_special_tokens=True, verbose=False)["input_ids"]
    return [tuple(ids[:-1] if ids[-1] == end else ids) for ids in encoded]


def answer_paths(tokenizer: Any, prompt: PromptSettings) -> dict[Label, tuple[tuple[int, ...], ...]]:
    """The tokens of each spelling of a label after a prompt: with a space before it and, unless `exact`, without one.

    A spelling that the tokenizer merges with the end of the prompt is left out.
    """
    start = scoring_text("x", prompt)
    [prefix] = _tokenise([start], tokenizer)
    spaces = (" ",) if prompt.spellings == "exact" else (" ", "")
    paths = {}
    for label, words in spellings(prompt).items():
        texts = [f"{start}{space}{word}" for word in words for space in spaces]
        continued = [ids[len(prefix) :] for ids in _tokenise(texts, tokenizer) if ids[: len(prefix)] == prefix]
        paths[label] = tuple(path for path in continued if path)
    return paths


def common_prefix_length(sequences: Sequence[tuple[int, ...]]) -> int:
    """Length of the longest run of tokens that all sequences begin with, shorter than every sequence.

    At least one token of each sequence is left, so every sequence still has a separate position.
    """
    first, last = min(sequences), max(sequences)
    limit = min(len(sequence) for sequence in sequences) - 1
    for position, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            return min(position, limit)
    return limit


def longest_allowed(model_config: Any) -> int | None:
    """The most tokens that the model takes; None if its configuration sets no limit."""
    return getattr(model_config, "max_position_embeddings", None)


def check_lengths(sequences: Sequence[Sequence[int]], limit: int | None) -> None:
    """Refuse texts that are longer than the model takes.

    Raises:
        InputError: A text is too long; the message has the longest text's length and the limit.
    """
    longest = max(len(sequence) for sequence in sequences)
    if limit is not None and longest > limit:
        raise InputError(f"headline of {longest} tokens with its prompt: the base model takes {limit}; shorten it")

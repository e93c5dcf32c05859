"""Headlines that are longer than a model takes: finds them, and cuts each to the longest beginning that fits.

A headline fits if its prompt and the longest label after it fit, whatever its own label is. It is therefore cut alike
in training, in evaluation and in scoring.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from learning.prompt.encoding import answer_paths, encode_prompts
from learning.prompt.question import Question, as_question
from learning.prompt.template import scoring_text, spellings
from schemas.cell import PromptSettings
from schemas.errors import InputError

SPECIAL_TOKENS = 16
"""A generous bound on the tokens that a tokenizer adds around a text."""


class Length(NamedTuple):
    """The tokens of a headline with its prompt and the longest label, and how many the model takes."""

    tokens: int
    bound: int


def find_candidates(headlines: Sequence[str], prompt: PromptSettings, bound: int) -> list[int]:
    """The places of the headlines that may be too long, judged only by their bytes.

    No tokenizer makes more tokens of a text than it has bytes after its characters are decomposed.
    """
    words = (word for of_label in spellings(prompt).values() for word in of_label)
    around = max(map(count_bytes, words)) + SPECIAL_TOKENS
    return [place for place, text in enumerate(headlines) if around + count_bytes(scoring_text(text, prompt)) > bound]


def find_too_long(
    headlines: Sequence[str], tokenizer: Any, prompt: PromptSettings, bound: int | None
) -> dict[int, Length]:
    """The lengths of the headlines that are too long for a model, by their places.

    Args:
        headlines: N texts.
        tokenizer: The model's tokenizer.
        prompt: The prompt around a headline.
        bound: Most tokens that the model takes; None if it has no bound.

    Raises:
        InputError: Not even an empty headline fits.
    """
    if bound is None:
        return {}
    places = find_candidates(headlines, prompt, bound)
    if not places:
        return {}
    answer = _longest_answer(tokenizer, prompt)
    _check_instruction(tokenizer, prompt, bound - answer)
    prompts = encode_prompts([headlines[place] for place in places], tokenizer, prompt)
    lengths = {place: Length(len(ids) + answer, bound) for place, ids in zip(places, prompts, strict=True)}
    return {place: length for place, length in lengths.items() if length.tokens > bound}


def fit_headlines(headlines: Sequence[str], tokenizer: Any, prompt: PromptSettings, bound: int | None) -> list[str]:
    """The headlines; those that are too long are cut at the end to the longest beginning that the model takes.

    A context is cut first, and a headline only if it is too long without its context. If the examples by themselves are
    too long, they are left out.

    Raises:
        InputError: Not even an empty headline fits.
    """
    fitting, too_long = list(headlines), find_too_long(headlines, tokenizer, prompt, bound)
    if bound is None or not too_long:
        return fitting
    most = bound - _longest_answer(tokenizer, prompt)
    for place in too_long:
        fitting[place] = _cut(headlines[place], tokenizer, prompt, most)
    return fitting


def _cut(headline: str, tokenizer: Any, prompt: PromptSettings, most: int) -> str:
    """The headline with as much of its examples, its context and its text as fits into a prompt of `most` tokens."""

    def is_short(text: str) -> bool:
        [ids] = encode_prompts([text], tokenizer, prompt)
        return len(ids) <= most

    question = as_question(headline)
    text, shown, context, about = str(question), question.examples, question.context, question.instrument
    if shown and not is_short(Question("", shown, instrument=about)):
        plain = question.with_examples(())
        return plain if is_short(plain) else _cut(plain, tokenizer, prompt, most)
    if context and is_short(Question(text, shown, instrument=about)):
        return _begin(context, lambda start: Question(text, shown, start, about), is_short)
    return _begin(text, lambda start: Question(start, shown, instrument=about), is_short)


def _begin(text: str, ask: Callable[[str], str], is_short: Callable[[str], bool]) -> str:
    """The question with the longest beginning of a text for which it is short enough, found by bisection."""
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        fits, too_long = (middle, too_long) if is_short(ask(text[:middle].rstrip())) else (fits, middle)
    return ask(text[:fits].rstrip())


def _check_instruction(tokenizer: Any, prompt: PromptSettings, most: int) -> None:
    [ids] = encode_prompts([""], tokenizer, prompt)
    if len(ids) > most:
        raise InputError(
            f"prompt.instruction: {len(ids)} tokens with an empty headline, and the base model takes {most} beside a "
            "label; shorten it, or take a base model that takes more"
        )


def _longest_answer(tokenizer: Any, prompt: PromptSettings) -> int:
    """Tokens of the longest label after a prompt."""
    return max((len(path) for paths in answer_paths(tokenizer, prompt).values() for path in paths), default=1)


def count_bytes(text: str) -> int:
    """Bytes of a text after its characters are decomposed: no tokenizer makes more tokens of it."""
    return len(text) if text.isascii() else len(unicodedata.normalize("NFKD", text).encode())

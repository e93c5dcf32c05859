"""A headline as a model is asked about it: with the labelled examples and the context that are shown before it."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from schemas.label import Label


class Example(NamedTuple):
    """A headline with its label."""

    headline: str
    label: Label


class Question(str):
    """A headline with examples before it, and a text on it. As text it is the headline alone, to be asked anywhere.

    What is derived from its text, such as a slice, is a plain headline without either.
    """

    __slots__ = ("context", "examples")
    examples: tuple[Example, ...]
    context: str

    def __new__(cls, headline: str, examples: Iterable[Example] = (), context: str = "") -> Self:
        """Put the examples before the headline, in their order, and the context between them and it."""
        question = super().__new__(cls, headline)
        question.examples, question.context = tuple(examples), context
        return question

    def __reduce__(self) -> tuple[type[Self], tuple[str, tuple[Example, ...], str]]:
        """Travel between processes with its examples and its context."""
        return type(self), (str(self), self.examples, self.context)


def examples_of(headline: str) -> tuple[Example, ...]:
    """The examples before a headline; none of a plain text."""
    return headline.examples if isinstance(headline, Question) else ()


def context_of(headline: str) -> str:
    """The context of a headline; empty for a plain text."""
    return headline.context if isinstance(headline, Question) else ""


def give_contexts(headlines: Iterable[str], contexts: Iterable[str | None]) -> tuple[str, ...]:
    """The headlines with their contexts, in order; one without a context as it is."""
    pairs = zip(headlines, contexts, strict=True)
    return tuple(Question(headline, context=context) if context else headline for headline, context in pairs)

"""A headline as a model is asked about it: with the examples and the context before it, and what it is about."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from schemas.label import Label


class Example(NamedTuple):
    """A headline with its label."""

    headline: str
    label: Label


class Question(str):
    """A headline with examples before it, a text on it, and the instrument that it is about.

    As text it is the headline alone, to be asked anywhere. What is derived from its text, such as a slice, is a plain
    headline.
    """

    __slots__ = ("context", "examples", "instrument")
    examples: tuple[Example, ...]
    context: str
    instrument: str

    def __new__(cls, headline: str, examples: Iterable[Example] = (), context: str = "", instrument: str = "") -> Self:
        """Put the examples before the headline, in their order, and the context between them and it."""
        question = super().__new__(cls, headline)
        question.examples, question.context, question.instrument = tuple(examples), context, instrument
        return question

    def __reduce__(self) -> tuple[type[Self], tuple[str, tuple[Example, ...], str, str]]:
        """Travel between processes with all that it has."""
        return type(self), (str(self), self.examples, self.context, self.instrument)

    def having(self, examples: Iterable[Example]) -> Self:
        """The same with these examples."""
        return type(self)(self, examples, self.context, self.instrument)


def as_question(headline: str) -> Question:
    """A headline with all that it has; a plain text has nothing."""
    return headline if isinstance(headline, Question) else Question(headline)


def examples_of(headline: str) -> tuple[Example, ...]:
    """The examples before a headline; none of a plain text."""
    return headline.examples if isinstance(headline, Question) else ()


def context_of(headline: str) -> str:
    """The context of a headline; empty for a plain text."""
    return headline.context if isinstance(headline, Question) else ""


def instrument_of(headline: str) -> str:
    """What a headline is about; empty for a plain text."""
    return headline.instrument if isinstance(headline, Question) else ""


def make_questions(
    headlines: Iterable[str], contexts: Iterable[str | None], instruments: Iterable[str | None]
) -> tuple[str, ...]:
    """The headlines with their contexts and instruments, in order; one that has neither as it is."""
    rows = zip(headlines, contexts, instruments, strict=True)
    return tuple(
        Question(headline, context=context or "", instrument=instrument or "") if context or instrument else headline
        for headline, context, instrument in rows
    )

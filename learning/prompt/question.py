"""A headline in the form in which it is put to a model: with examples, context and instrument."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from schemas.label import Label


class Example(NamedTuple):
    """A headline with its label."""

    headline: str
    label: Label


class Question(str):
    """A headline with examples before it, a context on it, and the instrument that it is about.

    As a `str` it is just the headline, so any model accepts it. Strings that are derived from it, such as a slice, are
    plain headlines.
    """

    __slots__ = ("context", "examples", "instrument")
    examples: tuple[Example, ...]
    context: str
    instrument: str

    def __new__(cls, headline: str, examples: Iterable[Example] = (), context: str = "", instrument: str = "") -> Self:
        """Put the examples before the headline in their order, and the context directly before the headline."""
        question = super().__new__(cls, headline)
        question.examples, question.context, question.instrument = tuple(examples), context, instrument
        return question

    def __reduce__(self) -> tuple[type[Self], tuple[str, tuple[Example, ...], str, str]]:
        """Pickle it with examples, context and instrument."""
        return type(self), (str(self), self.examples, self.context, self.instrument)

    def with_examples(self, examples: Iterable[Example]) -> Self:
        """The same question with these examples."""
        return type(self)(self, examples, self.context, self.instrument)


def as_question(headline: str) -> Question:
    """The headline as a question; a plain text becomes one without examples, context and instrument."""
    return headline if isinstance(headline, Question) else Question(headline)


def examples_of(headline: str) -> tuple[Example, ...]:
    """The examples before a headline; empty for a plain text."""
    return headline.examples if isinstance(headline, Question) else ()


def context_of(headline: str) -> str:
    """The context of a headline; empty for a plain text."""
    return headline.context if isinstance(headline, Question) else ""


def instrument_of(headline: str) -> str:
    """The instrument that a headline is about; empty for a plain text."""
    return headline.instrument if isinstance(headline, Question) else ""


def make_questions(
    headlines: Iterable[str], contexts: Iterable[str | None], instruments: Iterable[str | None]
) -> tuple[str, ...]:
    """The headlines with their contexts and instruments, in order; a headline with neither stays a plain text."""
    rows = zip(headlines, contexts, instruments, strict=True)
    return tuple(
        Question(headline, context=context or "", instrument=instrument or "") if context or instrument else headline
        for headline, context, instrument in rows
    )

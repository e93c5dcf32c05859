"""A headline as a model is asked about it: with the labelled examples that are shown before it."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from schemas.label import Label


class Example(NamedTuple):
    """A headline with its label."""

    headline: str
    label: Label


class Question(str):
    """A headline with examples before it. As text it is the headline alone, so that it can be asked wherever one can.

    What is derived from its text, such as a slice, is a plain headline without examples.
    """

    __slots__ = ("examples",)
    examples: tuple[Example, ...]

    def __new__(cls, headline: str, examples: Iterable[Example] = ()) -> Self:
        """Put the examples before the headline, in their order."""
        question = super().__new__(cls, headline)
        question.examples = tuple(examples)
        return question

    def __reduce__(self) -> tuple[type[Self], tuple[str, tuple[Example, ...]]]:
        """Travel between processes with its examples."""
        return type(self), (str(self), self.examples)


def examples_of(headline: str) -> tuple[Example, ...]:
    """The examples before a headline; none of a plain text."""
    return headline.examples if isinstance(headline, Question) else ()

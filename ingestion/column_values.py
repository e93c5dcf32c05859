"""What the values of a column look like: headlines, label words, or neither, judged by the first few hundred rows."""

import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from statistics import median
from typing import Any

from ingestion.cells import is_empty
from ingestion.entities import hold_entities
from ingestion.label_groups import read_flag
from ingestion.labels import LabelWords, label_word
from schemas.label import MISSING_WORDS

LONGEST_HEADLINE = 400
"""Characters. A column whose median is longer holds articles rather than headlines."""

_FITTING = 0.5
"""Least share of a column's values that must look like headlines, or be known labels."""
_LEAST_LETTERS = 8
"""Least number of letters in a headline without spaces, as in Chinese."""
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+\Z")
_DATE = re.compile(
    r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}T"
    r"|\d{1,2} ?[-/.] ?\d{1,2} ?[-/.] ?(?:\d{4}|\d{2})\b|\d{1,2} \d{1,2} (?:19|20)\d{2}\b"
    r"|(?:19|20)\d{6}(?:T\d{2,6}Z?|\d{6})?\s*\Z|1\d{9}(?:\d{3}){0,3}(?:\.\d+)?\s*\Z"
    r"|(?=.{0,30}\d).{0,30}(?<![^\W\d_])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?![^\W\d_])(?=.*\d))",
    re.IGNORECASE,
)
"""The beginning of a date: of numbers, as seconds or their parts since 1970, or with the name of a month."""
_LONGEST_DATE = 50
_MOSTLY_DATES = 0.9
"""Least share of the values in a column of dates that must be dates: the others would be rejected."""


class ColumnValues:
    """The first values of a column; those that are blank count as neither headlines nor labels."""

    def __init__(self, cells: Sequence[Any], words: LabelWords) -> None:
        self._cells = cells
        self._words = words

    @cached_property
    def holds_headlines(self) -> bool:
        """Whether most values that are not blank are running text and not labels."""
        headlines = sum(_is_running_text(text) for text in self._texts)
        is_text = headlines > 0 and headlines >= _FITTING * sum(not is_empty(cell) for cell in self._cells)
        return is_text and not self.holds_labels and not self.holds_entities

    @cached_property
    def holds_labels(self) -> bool:
        """Whether most values are known label words; a blank value is not one."""
        known = sum(self._words.knows(word) for word in self._label_words)
        return known > 0 and known >= _FITTING * len(self._cells)

    @cached_property
    def holds_entities(self) -> bool:
        """Whether most values are objects with a known label for each entity."""
        return hold_entities(self._cells, self._words)

    @cached_property
    def holds_flags(self) -> bool:
        """Whether every value that is not blank is 1 or 0, and at least one is 1."""
        flags = {read_flag(label_word(cell)) for cell in self._cells if not is_empty(cell)}
        return True in flags and None not in flags

    @cached_property
    def holds_dates(self) -> bool:
        """Whether nearly all values that are not blank are dates, in whichever order of day and month."""
        from ingestion.dates import count_dates

        words, native = self._date_words, self._native_dates
        least = _MOSTLY_DATES * (native + len(words))
        if native + sum(map(_looks_like_date, words)) < least:
            return False
        return native + len(words) > 0 and native + count_dates(tuple(words)) >= least

    @cached_property
    def is_blank(self) -> bool:
        """Whether no value says anything, as where dates begin below the first rows."""
        return self._native_dates == 0 and not self._date_words

    @cached_property
    def resembles_dates(self) -> bool:
        """Whether most values that are not blank look like dates, though they may be none or of several orders."""
        alike = self._native_dates + sum(map(_looks_like_date, self._date_words))
        return alike > 0 and alike >= _FITTING * (self._native_dates + len(self._date_words))

    @cached_property
    def varieties(self) -> int:
        """The number of different texts, where case and numbers, such as a running number, do not count."""
        return len({_NUMBER.sub("0", text).casefold() for text in self._texts})

    @cached_property
    def is_short(self) -> bool:
        """Whether its texts have the length of headlines."""
        return not self._texts or median(map(len, self._texts)) <= LONGEST_HEADLINE

    @cached_property
    def labels(self) -> int:
        """How many of the three labels occur."""
        known = (word for word in self._label_words if self._words.knows(word))
        return len({self._words.resolve(word) for word in known if not self._words.leaves_out(word)})

    @cached_property
    def _texts(self) -> list[str]:
        """The texts that are not blank, each with single spaces."""
        return [text for cell in self._cells if isinstance(cell, str) and (text := " ".join(cell.split()))]

    @cached_property
    def _native_dates(self) -> int:
        """How many values are dates that need no reading, as in a workbook."""
        return sum(isinstance(cell, date) for cell in self._cells)

    @cached_property
    def _date_words(self) -> list[str]:
        """The words of the values that are neither missing nor native dates."""
        words = (label_word(cell) for cell in self._cells if not is_empty(cell) and not isinstance(cell, date))
        return [word for word in map(str, words) if word.casefold() not in MISSING_WORDS]

    @cached_property
    def _label_words(self) -> list[str]:
        return [label_word(cell) for cell in self._cells if isinstance(cell, str | int | float)]


def _looks_like_date(word: str) -> bool:
    return len(word) <= _LONGEST_DATE and _DATE.match(word) is not None


def _is_running_text(text: str) -> bool:
    """Whether a text has two words or more, or many letters in a script without spaces, and is not a web address."""
    letters = sum(map(str.isalpha, text))
    if not letters or _ADDRESS.match(text):
        return False
    return " " in text or (letters >= _LEAST_LETTERS and not text.isascii())

"""Rows of a CSV that a spreadsheet may open: quoted where they need it, and no cell of text is a formula."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from schemas.listing import count

FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What a spreadsheet takes for the beginning of a formula, according to OWASP's page on CSV injection."""
NUMBER = re.compile(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?%?")
"""A text that is a number, and therefore no formula, whatever its sign."""


class CsvRows:
    """Formats rows, and counts the texts that got a `'` before them since a spreadsheet would run them."""

    def __init__(self, *, raw: bool) -> None:
        """Begin to count; `raw` leaves every text as it is."""
        self._raw, self.guarded = raw, 0
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(self._buffer, lineterminator="\r\n")  # quotes cells with either character

    def format(self, values: Iterable[Any]) -> str:
        """A row with its line break."""
        self._buffer.seek(0)
        self._buffer.truncate()
        self._writer.writerow([self._guard(value) if isinstance(value, str) else value for value in values])
        return f"{self._buffer.getvalue()[:-2]}\n"

    def _guard(self, text: str) -> str:
        if self._raw or not FORMULA.match(text) or NUMBER.fullmatch(text):
            return text
        self.guarded += 1
        return f"'{text}"

    def report(self, note: Callable[[str], object]) -> None:
        """Report how many texts were changed, if any were."""
        if self.guarded:
            cells = count(self.guarded, "cell begins", "cells begin")
            note(f"{cells} as a formula does, and got a ' before it; --raw keeps the text as it is")

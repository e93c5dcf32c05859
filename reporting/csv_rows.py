"""Rows of a CSV that a spreadsheet may open: quoted where they need it, and no cell of text is a formula."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from schemas.listing import count

_SIGNS = r"=+\-@\uff1d\uff0b\uff0d\uff20"
FORMULA = re.compile(rf"[{_SIGNS}\t\r\n]")
"""What a spreadsheet takes for the beginning of a formula, according to OWASP's page on CSV injection."""
HIDDEN = re.compile(rf"([;\t\r\n])(?=[{_SIGNS}])")
"""A separator or a line break before such a sign. A spreadsheet that separates by semicolons or tabs begins a cell
there: it heeds only quotes at the beginning of a cell, and ours are elsewhere then."""
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
        if self._raw or NUMBER.fullmatch(text):
            return text
        harmless = HIDDEN.sub(r"\1'", f"'{text}" if FORMULA.match(text) else text)
        self.guarded += harmless != text
        return harmless

    def report(self, note: Callable[[str], object]) -> None:
        """Report how many texts were changed, if any were."""
        if self.guarded:
            cells = count(self.guarded, "cell")
            note(f"{cells} got a ' before what a spreadsheet takes for a formula; --raw keeps the text as it is")

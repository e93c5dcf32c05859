r"""Markdown for both UIs of Prefect: texts of any origin as text, and tables.

The older UI shows most entities as they are written (`&#40;`); both understand a backslash before a character.
Descriptions of artifacts are Markdown in both, cells of a table artifact in only one of them.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

MOST_CHARACTERS = 160
_MARKUP = frozenset("\\`*_[]<>&~|#")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_START = re.compile(r"^(\s*\d*)([-+=.)])")
"""The beginnings of a paragraph that would turn it into a list or a heading."""


def escape(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text on one line, cut if long, without anything that Markdown, HTML or a display would interpret."""
    shown = text if len(text) <= most else f"{text[:most]}..."
    return _START.sub(r"\1\\\2", "".join(_escape_character(character) for character in shown))


def _escape_character(character: str) -> str:
    if character in "\n\r\t":
        return " "
    if unicodedata.category(character) in _HIDDEN:
        return rf"\<U+{ord(character):04X}\>"
    return f"\\{character}" if character in _MARKUP else character


def render_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, whose cells are Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

r"""Markdown for both UIs of Prefect: texts of any origin as text, and tables.

The older UI leaves most entities as they are written (`&#40;`); both read a backslash before a sign. Descriptions of
artifacts are Markdown in both, cells of a table artifact in one of them alone.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

MOST_CHARACTERS = 160
_MARKUP = frozenset("\\`*_[]<>&~|#")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_START = re.compile(r"^(\s*\d*)([-+=.)])")
"""What makes a list, or a line of a heading, of the beginning of a paragraph."""


def escape(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text cut when long, on one line, with nothing in it that Markdown, HTML or a reader obeys."""
    shown = text if len(text) <= most else f"{text[:most]}..."
    return _START.sub(r"\1\\\2", "".join(_escape_sign(sign) for sign in shown))


def _escape_sign(sign: str) -> str:
    if sign in "\n\r\t":
        return " "
    if unicodedata.category(sign) in _HIDDEN:
        return rf"\<U+{ord(sign):04X}\>"
    return f"\\{sign}" if sign in _MARKUP else sign


def render_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, whose cells are Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

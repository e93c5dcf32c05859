r"""Markdown for both UIs of Prefect: texts of any origin as text, and tables.

The older UI shows most entities as they are written (`&#40;`); both understand a backslash before a character.
Descriptions of artifacts are Markdown in both, cells of a table artifact in only one of them.
"""

import re
from collections.abc import Iterable, Sequence

from reporting.text import visible
from schemas.listing import cut

MOST_CHARACTERS = 160
_MARKUP = frozenset("\\`*_[]<>&~|#")
_START = re.compile(r"^(\s*\d*)([-+=.)])")
"""The beginnings of a paragraph that would turn it into a list or a heading."""


def escape(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text on one line, cut if long, without anything that Markdown, HTML or a display would interpret."""
    shown = visible(cut(text, most))
    return _START.sub(r"\1\\\2", "".join(f"\\{char}" if char in _MARKUP else char for char in shown))


def render_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, whose cells are Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

"""Finds the words that a program put around each headline, such as an instruction: those that all prompts share."""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

_BEFORE = re.compile(r".*[\"\u201c\u2018\u00ab\[<]\Z|.*(?:\n|:\s)", re.DOTALL)
"""From the beginning to a mark that opens just before the headline, a line end, or a colon."""
_AFTER = re.compile(r"[\"\u201d\u2019\u00bb\]>].*|\n.*|\s(?:\w+\s){0,3}\w+\s?[:=?]\s*", re.DOTALL)
"""From a mark that closes, a line end, or a few words with a colon, to the end."""
_SHOWN = 40


class Frame(NamedTuple):
    """What is before and after each headline."""

    before: str = ""
    after: str = ""

    def strip(self, text: str) -> str:
        """The headline without its frame; a text that lacks the frame, or has nothing in it, is unchanged."""
        is_framed = text.startswith(self.before) and text[len(self.before) :].endswith(self.after)
        return text[len(self.before) : len(text) - len(self.after)].strip() or text if is_framed else text

    def describe(self) -> tuple[str, ...]:
        """The words around each headline, as an entry of `not_read`; empty if there are none."""
        ends = [f"{side} each headline, {words.strip()[:_SHOWN]!r}" for side, words in self._ends() if words.strip()]
        return (f"the words {' and '.join(ends)}",) if ends else ()

    def _ends(self) -> Iterable[tuple[str, str]]:
        return ("before", self.before), ("after", self.after)


def find_frame(texts: Iterable[str]) -> Frame:
    """The frame that all texts share, up to a boundary; none if fewer than two differ."""
    distinct = set(texts)
    if len(distinct) < 2:  # noqa: PLR2004
        return Frame()
    before = _BEFORE.match(_shared_start(distinct))
    start = before[0] if before else ""
    end = _shared_start([text[len(start) :][::-1] for text in distinct])[::-1]
    after = _AFTER.search(end)
    return Frame(start, after[0] if after and after.end() == len(end) else "")


def _shared_start(texts: Collection[str]) -> str:
    """The longest common prefix, which is that of the first and the last in order."""
    first, last = min(texts), max(texts)
    differing = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(differing, len(first))]

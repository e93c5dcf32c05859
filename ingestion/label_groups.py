"""Several columns that hold the label of a row together: one for each label with 1 and 0, or one for each annotator."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.cells import is_empty
from ingestion.labels import LabelWords, label_word
from ingestion.rows import RawRow, broken_row
from schemas.label import AGREEMENTS, LABELS, fold_word

Cells = Sequence[Any] | Mapping[int, Any]
"""Cells of a row by their places."""

_FLAGS = {"1": True, "true": True, "0": False, "false": False}
_NAME_WORD = re.compile(r"[^\W\d_]+")
_CASES = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class LabelGroup:
    """The columns that hold the label together, by their places in a row.

    `labels` has the label of each column if there is one column for each label, and is empty for columns of annotators.
    Rows on which fewer than `agreement` per cent of the annotators agree are left out.
    """

    places: tuple[int, ...]
    labels: tuple[str, ...]
    words: LabelWords
    agreement: int

    @property
    def shape(self) -> str:
        """How the label is read from the columns, in words."""
        return "one column for each label" if self.labels else "the majority of annotators"

    def label(self, row: RawRow, cells: Cells) -> RawRow:
        """The row with the label from its cells, which are given by their places in the table."""
        if row.defect:
            return row
        words = [None if is_empty(cells[place]) else _spell(cells[place]) for place in self.places]
        return self._read_flags(row, words) if self.labels else self._count_votes(row, words)

    def _read_flags(self, row: RawRow, words: Sequence[str | None]) -> RawRow:
        flags = [False if word is None or self.words.is_missing(word) else read_flag(word) for word in words]
        flagged = [label for label, flag in zip(self.labels, flags, strict=True) if flag]
        odd = next((word for word, flag in zip(words, flags, strict=True) if flag is None), None)
        if odd is not None:
            return broken_row(row.raw, f"neither 1 nor 0 in the column of a label: {odd[:40]!r}")
        if len(flagged) > 1:
            return broken_row(row.raw, f"more than one label: {' and '.join(sorted(flagged))}")
        return row._replace(label=flagged[0] if flagged else None)

    def _count_votes(self, row: RawRow, words: Sequence[str | None]) -> RawRow:
        votes = [word for word in words if word is not None and not self.words.is_missing(word)]
        unknown = next((word for word in votes if not self.words.knows(word)), None)
        if unknown is not None or not votes:
            return row._replace(label=unknown)
        counts = Counter("left out" if self.words.leaves_out(word) else self.words.resolve(word) for word in votes)
        most = max(counts.values())
        best = [label for label in counts if counts[label] == most]
        tally = ", ".join(f"{counts[label]} {label}" for label in sorted(counts))
        reached = max((level for level in AGREEMENTS if 100 * most >= level * len(votes)), default=0)
        if len(best) > 1:
            return row._replace(left_out=f"a tie of annotators: {tally}")
        if reached < self.agreement:
            return row._replace(left_out=f"fewer than {self.agreement} % of annotators agree: {tally}")
        if best[0] not in LABELS:
            return row._replace(left_out=f"annotators leave it out: {tally}")
        return row._replace(label=best[0], agreement=reached)


def _spell(cell: Any) -> str:
    """The word of a cell; half a surrogate pair, which JSON may hold and nothing can store, becomes a question mark."""
    return label_word(cell).encode(errors="replace").decode()


def read_flag(word: str) -> bool | None:
    """True for 1 or true, False for 0 or false, None for any other word."""
    return _FLAGS.get(fold_word(word))


def label_in_name(name: str, words: LabelWords) -> str | None:
    """The label in the name of a column, as in `is_positive`; None if it has none or several."""
    parts = [name, *_NAME_WORD.findall(_CASES.sub(" ", name))]
    labels = {words.resolve(part) for part in parts if words.knows(part) and not words.leaves_out(part)}
    return labels.pop() if len(labels) == 1 else None


def find_flags(names: Sequence[str], words: LabelWords) -> dict[str, int]:
    """The place of the only column with each label in its name; empty unless each of the three has one."""
    labels = {name: label_in_name(name, words) for name in set(names)}  # a damaged file may have one name very often
    named = [(label, place) for place, name in enumerate(names) if (label := labels[name])]
    return dict(named) if len(named) == len(LABELS) == len(dict(named)) else {}


def make_group(names: Sequence[str], places: Sequence[int], words: LabelWords, agreement: int) -> LabelGroup:
    """The group of columns that the settings name: one for each label if their names have one, else annotators'."""
    labels = [label_in_name(names[place], words) for place in places]
    known = tuple(label for label in labels if label)
    is_by_label = len(set(known)) == len(places)
    return LabelGroup(tuple(places), known if is_by_label else (), words, agreement)

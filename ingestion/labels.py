"""Maps the source's label words to the three sentiments. An unknown word stays unchanged, and validation rejects it."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from schemas.label import LABELS, MISSING_WORDS, Label, fold_word
from schemas.source import DataSettings

SHOWN_CHARACTERS = 40
"""Characters of an unknown label that its reason shows."""

_SCORE = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:e[+-]?[0-9]{1,3})?")


class LabelWords:
    """The words that mean a label: positive, neutral and negative and those of the label map; case ignored.

    Args:
        label_map: The source's words; those that map to None mean that a row is left out.
        thresholds: Where negative scores end and positive ones begin, if numbers are scores.
    """

    def __init__(
        self, label_map: Mapping[str, Label | None] | None, thresholds: tuple[float, float] | None = None
    ) -> None:
        self._labels: dict[str, Label | None] = {label.value: label for label in LABELS}
        self._labels |= {fold_word(word): label for word, label in (label_map or {}).items()}
        self._thresholds = thresholds

    @classmethod
    def of(cls, settings: DataSettings) -> Self:
        """The words of a source."""
        return cls(settings.label_map, settings.thresholds)

    def knows(self, word: str) -> bool:
        """Whether the word means a label, or that its row is left out."""
        return fold_word(word) in self._labels or self._judge(word) is not None

    def leaves_out(self, word: str) -> bool:
        """Whether rows with this word are left out; a word for a missing value counts as the empty word."""
        folded = fold_word(word)
        return self._labels.get("" if self.is_missing(word) else folded, folded) is None

    def is_missing(self, word: str) -> bool:
        """Whether the word says that there is no label."""
        folded = fold_word(word)
        return not folded or (folded in MISSING_WORDS and folded not in self._labels)

    def resolve(self, word: str) -> str:
        """The label that the word means, or the word itself without padding."""
        label = self._labels.get(fold_word(word)) or self._judge(word)
        return word.strip() if label is None else label.value

    def _judge(self, word: str) -> Label | None:
        """The label of a score."""
        if self._thresholds is None or (score := read_score(word)) is None:
            return None
        low, high = self._thresholds
        return Label.NEGATIVE if score < low else Label.POSITIVE if score > high else Label.NEUTRAL


def read_score(word: str) -> float | None:
    """The number that a word is, with a decimal point or comma; None for any other word."""
    folded = word.strip().casefold()
    return float(folded.replace(",", ".")) if _SCORE.fullmatch(folded) else None


def label_word(cell: Any) -> str:
    """The word of a label cell of any type; a whole number has no decimals."""
    if isinstance(cell, Decimal) and cell.is_finite():
        cell = float(cell)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return cell if isinstance(cell, str) else json.dumps(cell, default=str)

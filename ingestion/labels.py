"""The source's label words to the three sentiments. An unknown word stays unchanged, and validation rejects it."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schemas.label import LABELS, Label, fold_word


class LabelWords:
    """The words that mean a label: positive, neutral and negative and those of the label map; case ignored."""

    def __init__(self, label_map: Mapping[str, Label] | None) -> None:
        self._labels = {label.value: label for label in LABELS}
        self._labels |= {fold_word(word): label for word, label in (label_map or {}).items()}

    def knows(self, word: str) -> bool:
        """Whether the word means a label."""
        return fold_word(word) in self._labels

    def resolve(self, word: str) -> str:
        """The label that the word means, or the word itself without padding."""
        label = self._labels.get(fold_word(word))
        return word.strip() if label is None else label.value


def label_word(cell: Any) -> str:
    """The word of a label cell of any type; a whole number has no decimals."""
    if isinstance(cell, Decimal) and cell.is_finite():
        cell = float(cell)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return cell if isinstance(cell, str) else json.dumps(cell, default=str)

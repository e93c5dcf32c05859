"""What a cell of a table may hold besides text and numbers: nothing, or a formula that was never computed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Uncomputed:
    """A formula whose value the program that wrote it did not store."""

    formula: str

    def __str__(self) -> str:
        return self.formula


def is_empty(cell: Any) -> bool:
    """Whether a cell holds nothing: null, white space, not a number, or a list or an object without elements."""
    if isinstance(cell, str):
        return not cell or cell.isspace()
    if isinstance(cell, float):
        return math.isnan(cell)
    return cell is None or (isinstance(cell, (list, dict, bytes)) and not cell)


def is_blank(cells: Iterable[Any]) -> bool:
    """Whether a row holds nothing in any cell; every format skips such a row and does not count it."""
    return all(map(is_empty, cells))


def is_unicode(text: str) -> bool:
    """Whether a text can be stored: JSON may hold half a surrogate pair, which is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

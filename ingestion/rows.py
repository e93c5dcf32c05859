"""What every reader yields: one row of a source as it was. Knows no format and judges nothing."""

from typing import NamedTuple


class RawRow(NamedTuple):
    """One row of a source; a row that a reader could not take apart has a defect, and neither text nor label.

    `agreement` is FinancialPhraseBank's alone: the least share of annotators that agree on the label, in per cent.
    """

    text: str | None
    label: str | None
    raw: str
    defect: str | None = None
    agreement: int | None = None


def broken_row(raw: str, defect: str) -> RawRow:
    """The row that could not be taken apart into text and label, and why."""
    return RawRow(text=None, label=None, raw=raw, defect=defect)

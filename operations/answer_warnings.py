"""Warnings about the answers to a source: a weak model, unparsed answers, rejected rows, unread dates."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from operations.judged import Judged, warn_of_chance
from schemas.listing import count
from schemas.scoring import ScoringCounts

if TYPE_CHECKING:
    from operations.models import CellModel


def warn_of_answers(scoring_id: str, model: "CellModel", counts: ScoringCounts, judged: Judged | None) -> Iterator[str]:
    """Yield a warning for each reason not to rely on the answers.

    Args:
        scoring_id: The scoring.
        model: The cell that answered, with the bounds of its study.
        counts: How many rows were read, answered, unparsed and rejected.
        judged: How good the cell is; None where that is not known.
    """
    found = (
        warn_of_chance(model.card.cell_id, judged),
        _warn_of_unparsed(counts, model.max_unparsed_rate),
        _warn_of_rejected(scoring_id, counts, model.max_rejected),
        _warn_of_dates(counts),
    )
    yield from (warning for warning in found if warning)


def _warn_of_unparsed(counts: ScoringCounts, most: float) -> str | None:
    if counts.rows_unparsed <= most * counts.rows_answered:
        return None
    share = counts.rows_unparsed / counts.rows_answered
    return (
        f"warning: {counts.rows_unparsed:,} of {counts.rows_answered:,} answers ({share:.1%}) are no label, more than "
        f"promotion.max_unparsed_rate {most:g} allows; do not rely on this model for such headlines"
    )


def _warn_of_rejected(scoring_id: str, counts: ScoringCounts, most: float) -> str | None:
    if counts.rows_rejected <= most * counts.rows_read:
        return None
    from storage.examples import rejected_query

    share = counts.rows_rejected / counts.rows_read
    return (
        f"warning: {counts.rows_rejected:,} of {counts.rows_read:,} rows ({share:.1%}) were rejected and have no "
        f"answer, more than data.max_rejected {most:g} allows; look at them with "
        f'fintone sql "{rejected_query(scoring_id)}", or name another column with --text-column'
    )


def _warn_of_dates(counts: ScoringCounts) -> str | None:
    if not counts.dates_unread:
        return None
    rows = count(counts.dates_unread, "headline has", "headlines have")
    return (
        f"warning: {rows} no date: what they have cannot be read, or may be day or month first; give --date-order dmy, "
        "mdy or ymd, or name the column with --published-at-column"
    )

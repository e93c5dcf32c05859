"""How many rows of a source may be rejected before it is not to be trusted."""

from collections.abc import Sequence

from schemas.columns import NO_COLUMNS, ReadColumns
from schemas.errors import InputError


class TooManyRejectedError(InputError):
    """More of a source's rows were rejected than `data.max_rejected` allows."""


def check_rejected(
    source: str,
    rows_read: int,
    rows_rejected: int,
    commonest: Sequence[tuple[str, int]],
    max_rejected: float,
    columns: ReadColumns = NO_COLUMNS,
) -> None:
    """Refuse a source of which too large a share was rejected.

    Args:
        source: The source, as people know it.
        rows_read: Its rows, at least one.
        rows_rejected: Those that were rejected.
        commonest: Reasons with their number of rows, the commonest first.
        max_rejected: The largest share that may be, from 0 to 1.
        columns: The columns that were read.

    Raises:
        TooManyRejectedError: More were; the message names share, bound and the commonest reason.
    """
    share = rows_rejected / rows_read
    if share > max_rejected:
        reason, number = commonest[0]
        raise TooManyRejectedError(
            f"source {source!r}: {rows_rejected:,} of {rows_read:,} rows rejected, a share of {share:.3g} where "
            f"data.max_rejected allows {max_rejected:g}; most often ({number:,}): {reason}; mend "
            f"the rows, name the right columns{columns.explain()}, map the label words with data.label_map, or raise "
            "data.max_rejected"
        )

"""How many rows of a source may be rejected before it is not to be trusted. Knows counts and reasons, no source."""

import pandas as pd

from schemas.errors import InputError


class TooManyRejectedError(InputError):
    """More of a source's rows were rejected than `data.max_rejected` allows."""


def check_rejected(source: str, rows_read: int, rejected: pd.DataFrame, max_rejected: float) -> None:
    """Refuse a source of which too large a share was rejected.

    Args:
        source: The source, as people know it.
        rows_read: Its rows.
        rejected: A `schemas.frames.RejectedFrame` of the rows that were rejected.
        max_rejected: The largest share that may be, from 0 to 1.

    Raises:
        TooManyRejectedError: More were; the message names share, bound and the commonest reason.
    """
    share = len(rejected) / rows_read
    if share > max_rejected:
        reasons = rejected["reason"].value_counts()
        raise TooManyRejectedError(
            f"source {source!r}: {len(rejected):,} of {rows_read:,} rows rejected, a share of {share:.3g} where "
            f"data.max_rejected allows {max_rejected:g}; most often ({reasons.iloc[0]:,}): {reasons.index[0]}; mend "
            "the rows, map the label words with data.label_map, or raise data.max_rejected"
        )

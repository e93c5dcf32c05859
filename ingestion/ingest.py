"""How headlines get in: a source is read, validated and counted, and every row is accepted, merged or rejected.

Knows the order of these steps. Writes nothing; the warehouse is storage's business.
"""

from dataclasses import dataclass

import pandas as pd
from pandera.typing.pandas import DataFrame

from ingestion.duplicates import keep_duplicates, merge_duplicates
from ingestion.identity import ingest_id
from ingestion.labels import LabelWords
from ingestion.sources import load_source
from ingestion.validation import validate_rows
from schemas.config import DataSettings
from schemas.errors import InputError
from schemas.frames import HeadlineFrame, RejectedFrame


class NothingAcceptedError(InputError):
    """Every row of a source was rejected."""


@dataclass(frozen=True)
class Ingestion:
    """What came of a source.

    `rows_read` is `len(accepted) + rows_merged + len(rejected)`, and `accepted.copies` adds up to all but the rejected.
    Row numbers count the rows of the source from 1, without header and blank lines.
    """

    ingest_id: str
    snapshot_id: str
    source: str
    kind: str
    sha256: str
    encoding: str
    synthetic: bool
    rows_read: int
    rows_merged: int
    accepted: DataFrame[HeadlineFrame]
    rejected: DataFrame[RejectedFrame]


def read_source(data: DataSettings) -> Ingestion:
    """Read, validate and count a source of labelled headlines.

    Args:
        data: Where it lies and how it is read.

    Returns:
        Accepted headlines and rejected rows, in the order of the source.

    Raises:
        InputError: If the source cannot be read, is of no known kind, or has no row that can be accepted.
    """
    source = load_source(data)
    candidates, invalid = validate_rows(source.rows, LabelWords(data.label_map))
    if data.duplicates == "keep":
        headlines, snapshot = keep_duplicates(candidates)
        rejected = invalid
    else:
        headlines, conflicts, snapshot = merge_duplicates(candidates)
        rejected = pd.concat([invalid, conflicts]).sort_values("row_number")
    if headlines.empty:
        raise _nothing_accepted(data.source, rejected)
    return Ingestion(
        ingest_id=ingest_id(source.sha256, data),
        snapshot_id=snapshot,
        source=source.name,
        kind=source.kind,
        sha256=source.sha256,
        encoding=source.encoding,
        synthetic=source.synthetic,
        rows_read=len(source.rows),
        rows_merged=int((headlines["copies"] - 1).sum()),
        accepted=HeadlineFrame.validate(headlines),
        rejected=RejectedFrame.validate(rejected.reset_index(drop=True)),
    )


def _nothing_accepted(source: str, rejected: pd.DataFrame) -> NothingAcceptedError:
    counts = rejected["reason"].value_counts()
    return NothingAcceptedError(
        f"source {source!r}: none of its {len(rejected)} rows can be used, most often ({counts.iloc[0]}) because of "
        f"{counts.index[0]}: mend them, name the right columns, or map its label words with --set data.label_map"
    )

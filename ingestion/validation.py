"""Raw rows in, candidates and rejected rows out, by the schema `CandidateFrame`. Knows nothing of duplicates."""

from collections.abc import Sequence

import pandas as pd
from pandera.errors import SchemaErrors

from ingestion.labels import LabelWords
from ingestion.rows import RawRow
from schemas.frames import CandidateFrame

_SHOWN_CHARACTERS = 40
_NUL = "a NUL character in the text"


def validate_rows(rows: Sequence[RawRow], words: LabelWords) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell the rows that can be used from those that cannot.

    Args:
        rows: The rows of a source, in order.
        words: The words that stand for a label.

    Returns:
        The candidates (columns of `CandidateFrame`, label resolved, outer white space gone) and the rejected rows
        (columns of `RejectedFrame`, with every reason), both in the order of the source.
    """
    frame = _candidate_frame(rows, words)
    reasons = _find_reasons(frame)
    rejected = frame.loc[reasons.index].assign(reason=reasons)
    return frame.drop(index=reasons.index), rejected[["row_number", "reason", "raw"]]


def _candidate_frame(rows: Sequence[RawRow], words: LabelWords) -> pd.DataFrame:
    columns = {
        "text": [None if row.text is None else row.text.strip() for row in rows],
        "label": [None if row.label is None else words.resolve(row.label) for row in rows],
        "raw": [row.raw for row in rows],
        "defect": [_NUL if row.text and "\0" in row.text else row.defect for row in rows],
    }
    frame = pd.DataFrame(columns, dtype="str")
    frame.insert(0, "row_number", range(1, len(rows) + 1))
    return frame


def _find_reasons(frame: pd.DataFrame) -> pd.Series:
    """Every reason of each row that fails, in the order of the schema, by the row's place in the frame."""
    try:
        CandidateFrame.validate(frame, lazy=True)
    except SchemaErrors as error:
        failures = error.failure_cases
        cases = zip(failures["column"], failures["failure_case"], strict=True)
        described = [_describe(str(column), str(case)) for column, case in cases]
        return pd.Series(described, index=failures["index"], dtype="str").groupby(level=0).agg("; ".join)
    return pd.Series(index=frame.index[:0], dtype="str")


def _describe(column: str, case: str) -> str:
    """One failure in words; each column of `CandidateFrame` has one check that can fail."""
    if column == "text":
        return "empty text"
    if column == "label":
        return f"unknown label {case[:_SHOWN_CHARACTERS]!r}"
    return case

"""Raw rows in, candidates and rejected rows out, by the schema `CandidateFrame`. Knows nothing of duplicates."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pandas as pd
from pandera.errors import SchemaErrors

from ingestion.labels import LabelWords
from ingestion.rows import RawRow
from schemas.frames import CandidateFrame

ROWS_AT_ONCE = 50_000
"""Rows that are held as Python objects at a time; frames take a fraction of their memory."""
MAX_RAW = 1_000_000
"""Characters of a rejected row that are kept; what was cut is told."""

_SHOWN_CHARACTERS = 40


def validate_rows(rows: Iterable[RawRow], words: LabelWords) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell the rows that can be used from those that cannot.

    Args:
        rows: The rows of a source, in order; at least one.
        words: The words that stand for a label.

    Returns:
        The candidates (columns of `CandidateFrame`, label resolved, outer white space gone) and the rejected rows
        (row_number, reason with every reason, raw), both in the order of the source. Row numbers begin at 1.
    """
    accepted, rejected, count, remaining = [], [], 0, iter(rows)
    while batch := _take(remaining):
        candidates, refused = validate_batch(batch, words, first_number=count + 1)
        accepted.append(candidates)
        rejected.append(refused)
        count += len(batch)
    return pd.concat(accepted, ignore_index=True), pd.concat(rejected, ignore_index=True)


def validate_batch(rows: Sequence[RawRow], words: LabelWords, first_number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The candidates and the rejected rows of some rows in order, numbered from `first_number`, as of `validate_rows`.

    A row without a label is a candidate too.
    """
    frame = _candidate_frame(rows, words, first_number)
    reasons = _find_reasons(frame)
    refused = frame.loc[reasons.index].assign(reason=reasons, raw=frame.loc[reasons.index, "raw"].map(_cut))
    accepted = frame.drop(index=reasons.index) if len(reasons) else frame
    return accepted, refused[["row_number", "reason", "raw"]]


def _take(rows: Iterator[RawRow]) -> list[RawRow]:
    """The next rows; none of them is garbage, and Python is kept from looking for it every few hundred."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return list(islice(rows, ROWS_AT_ONCE))
    finally:
        if collects:
            gc.enable()


def _candidate_frame(rows: Iterable[RawRow], words: LabelWords, first_number: int) -> pd.DataFrame:
    texts, labels, raws, defects, agreements = zip(*rows, strict=True)
    resolved = {word: words.resolve(word) for word in set(labels) - {None}}
    columns = {
        "text": [None if text is None else text.strip() for text in texts],
        "label": [None if label is None else resolved[label] for label in labels],
        "raw": raws,
        "defect": defects,
    }
    frame = pd.DataFrame(columns, dtype="str")
    frame.insert(0, "row_number", range(first_number, first_number + len(texts)))
    return frame.assign(agreement=pd.array(agreements, dtype="Int64"))


def _find_reasons(frame: pd.DataFrame) -> pd.Series:
    """Every reason of each row that fails, in the order of the schema, by the row's place in the frame."""
    try:
        CandidateFrame.validate(frame, lazy=True)
    except SchemaErrors as error:
        failures = error.failure_cases
        cases = zip(failures["column"], failures["check"], failures["failure_case"], strict=True)
        described = [_describe(str(column), str(check), str(case)) for column, check, case in cases]
        reasons: dict[int, list[str]] = {}
        for index, reason in zip(failures["index"], described, strict=True):
            reasons.setdefault(index, []).append(reason)
        return pd.Series({index: "; ".join(reasons[index]) for index in sorted(reasons)}, dtype="str")
    return pd.Series(index=frame.index[:0], dtype="str")


def _describe(column: str, check: str, case: str) -> str:
    """One failure in words."""
    if column == "label":
        return f"unknown label {case[:_SHOWN_CHARACTERS]!r}"
    return case if column == "defect" else check


def _cut(raw: str) -> str:
    return raw if len(raw) <= MAX_RAW else f"{raw[:MAX_RAW]}... (cut here, {len(raw):,} characters in all)"

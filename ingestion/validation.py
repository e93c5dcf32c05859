"""Raw rows in, candidates and rejected rows out, by the schema `CandidateFrame`."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pandas as pd
from pandera.errors import SchemaErrors

from ingestion.labels import LabelWords
from ingestion.rows import RawRow
from schemas.frames import MISSING_WORDS, CandidateFrame

ROWS_AT_ONCE = 50_000
"""Number of rows held as Python objects at a time; frames take a fraction of their memory."""
MAX_RAW = 1_000_000
"""Characters of a rejected row that are stored; the rest is marked as cut."""

_SHOWN_CHARACTERS = 40


def validate_rows(rows: Iterable[RawRow], words: LabelWords) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Separate the rows that can be used from those that cannot.

    Args:
        rows: The rows of a source, in order; at least one.
        words: The words that mean a label.

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


def validate_batch(
    rows: Sequence[RawRow], words: LabelWords | None, first_number: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The candidates and the rejected rows of some rows in order, numbered from `first_number`, as in `validate_rows`.

    If `words` is None, labels do not count: a row without a label is a candidate, and labels are dropped.
    """
    frame = _candidate_frame(rows, words, first_number)
    reasons = _find_reasons(frame)
    refused = frame.loc[reasons.index].assign(reason=reasons, raw=frame.loc[reasons.index, "raw"].map(_cut))
    accepted = frame.drop(index=reasons.index) if len(reasons) else frame
    return accepted, refused[["row_number", "reason", "raw"]]


def _take(rows: Iterator[RawRow]) -> list[RawRow]:
    """The next rows, taken with the garbage collector off: none of them is garbage."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return list(islice(rows, ROWS_AT_ONCE))
    finally:
        if collects:
            gc.enable()


def _candidate_frame(rows: Iterable[RawRow], words: LabelWords | None, first_number: int) -> pd.DataFrame:
    texts, labels, raws, defects, agreements = zip(*rows, strict=True)
    columns = {
        "text": [None if text is None else text.strip() for text in texts],
        "label": _resolve(labels, defects, words),
        "raw": raws,
        "defect": defects,
    }
    frame = pd.DataFrame(columns, dtype="str")
    frame.insert(0, "row_number", range(first_number, first_number + len(texts)))
    return frame.assign(agreement=pd.array(agreements, dtype="Int64"))


def _resolve(
    labels: Sequence[str | None], defects: Sequence[str | None], words: LabelWords | None
) -> Sequence[str | None]:
    """The label that each word means; a missing label is an empty word, unless the row has a defect."""
    if words is None:
        return [None] * len(labels)
    resolved = {word: words.resolve(word) for word in set(labels) if word is not None}
    missing = ("" if defect is None else None for defect in defects)
    return [nothing if label is None else resolved[label] for label, nothing in zip(labels, missing, strict=True)]


def _find_reasons(frame: pd.DataFrame) -> pd.Series:
    """Every reason of each row that fails, in the order of the schema, by the row's place in the frame.

    A row that a reader could not take apart is not checked further: its defect is its reason.
    """
    has_defect = frame["defect"].notna()
    told = frame.loc[has_defect, "defect"]
    try:
        CandidateFrame.validate(frame[~has_defect] if len(told) else frame, lazy=True)
    except SchemaErrors as error:
        cases = (error.failure_cases[name].tolist() for name in ("index", "column", "check", "failure_case"))
        reasons: dict[int, list[str]] = {}
        for index, column, check, case in zip(*cases, strict=True):
            reasons.setdefault(index, []).append(_describe_label(str(case)) if column == "label" else str(check))
        failed = pd.Series({index: "; ".join(reasons[index]) for index in reasons}, dtype="str")
        told = pd.concat([told, failed]).sort_index()
    return told


def _describe_label(word: str) -> str:
    if not word:
        return "no label"
    if word.casefold() in MISSING_WORDS:
        return f"no label, written as {word!r}"
    return f"unknown label {word[:_SHOWN_CHARACTERS]!r}"


def _cut(raw: str) -> str:
    return raw if len(raw) <= MAX_RAW else f"{raw[:MAX_RAW]}... (cut here, {len(raw):,} characters in all)"

"""Raw rows in; candidates, rejected rows and left-out rows out, by the schema `CandidateFrame`."""

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import pandas as pd
from pandera.errors import SchemaErrors

from ingestion.about import ABOUT_NAMES
from ingestion.entities import expand_entities
from ingestion.labels import SHOWN_CHARACTERS, LabelWords
from ingestion.parts import resolve_part
from ingestion.rows import RawRow
from schemas.frames import MAX_NAME, CandidateFrame
from schemas.label import MISSING_WORDS

ROWS_AT_ONCE = 50_000
"""Number of rows held as Python objects at a time; frames take a fraction of their memory."""
_encode = json.JSONEncoder(ensure_ascii=False).encode
MAX_RAW = 1_000_000
"""Characters of a rejected row that are stored; the rest is marked as cut."""


class Validated(NamedTuple):
    """Rows of a source in its order.

    `candidates` has the columns of `CandidateFrame`; `rejected` and `left_out` have row_number, reason and raw.
    """

    candidates: pd.DataFrame
    rejected: pd.DataFrame
    left_out: pd.DataFrame


def validate_rows(rows: Iterable[RawRow], words: LabelWords) -> Validated:
    """Separate the rows that can be used from those that cannot, and from those whose label is to be left out.

    Args:
        rows: The rows of a source, in order; at least one.
        words: The words that mean a label.

    Returns:
        The candidates with label resolved and outer white space removed, and the other rows with all their reasons. Row
        numbers begin at 1.
    """
    batches, count, remaining = [], 0, iter(rows)
    while batch := _take(remaining):
        batches.append(validate_batch(batch, words, first_number=count + 1))
        count += len(batch)
    return Validated(*(pd.concat(frames, ignore_index=True) for frames in zip(*batches, strict=True)))


def validate_batch(rows: Sequence[RawRow], words: LabelWords | None, first_number: int) -> Validated:
    """Separate some rows in order, numbered from `first_number`, as in `validate_rows`.

    A row with a label for each of several entities becomes a row for each, with the same number. If `words` is None,
    labels do not count: a row without a label is a candidate, and labels are dropped.
    """
    numbers: Sequence[int] = range(first_number, first_number + len(rows))
    if words is not None:
        rows, numbers = expand_entities(rows, numbers)
    frame = _candidate_frame(rows, words, numbers)
    why = _leave_out(rows, words)
    left_out = _explain(frame, pd.Series(why, dtype="str"))
    frame = frame.drop(index=list(why)) if why else frame
    reasons = _find_reasons(frame)
    accepted = frame.drop(index=reasons.index) if len(reasons) else frame
    return Validated(accepted, _explain(frame, reasons), left_out)


def _explain(frame: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    """The rows that have a reason, by their place in the frame."""
    explained = frame.loc[reasons.index].assign(reason=reasons, raw=frame.loc[reasons.index, "raw"].map(_cut))
    return explained[["row_number", "reason", "raw"]]


def _leave_out(rows: Sequence[RawRow], words: LabelWords | None) -> dict[int, str]:
    """Why rows that a reader could take apart are left out, by their places."""
    if words is None:
        return {}
    labels = {row.label or "" for row in rows if row.defect is None}
    known = {word: _describe_left_out(word, words) for word in labels if words.leaves_out(word)}
    reasons = ((place, row.left_out or known.get(row.label or "")) for place, row in enumerate(rows) if not row.defect)
    return {place: why for place, why in reasons if why} if known or any(row.left_out for row in rows) else {}


def _describe_left_out(word: str, words: LabelWords) -> str:
    return _describe_label(word) if words.is_missing(word) else f"label {word.strip()[:SHOWN_CHARACTERS]!r}"


def _take(rows: Iterator[RawRow]) -> list[RawRow]:
    """The next rows, taken with the garbage collector off: none of them is garbage."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return list(islice(rows, ROWS_AT_ONCE))
    finally:
        if collects:
            gc.enable()


def _candidate_frame(rows: Iterable[RawRow], words: LabelWords | None, numbers: Sequence[int]) -> pd.DataFrame:
    texts, labels, raws, defects, agreements, _, others, parts, *about = zip(*rows, strict=True)
    columns = {
        "text": [None if text is None else text.strip().replace("\r\n", "\n") for text in texts],
        "label": _resolve(labels, defects, words),
        "raw": raws,
        "defect": defects,
        "part": [None if part is None else resolve_part(part) for part in parts],
        **dict(zip(ABOUT_NAMES, about, strict=True)),
        "extra": [None if cells is None else _encode(cells) for cells in others],
    }
    frame = pd.DataFrame(columns, dtype="str")
    frame.insert(0, "row_number", numbers)
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
    reasons = frame.loc[has_defect, "defect"]
    try:
        CandidateFrame.validate(frame[~has_defect] if len(reasons) else frame, lazy=True)
    except SchemaErrors as error:
        cases = (error.failure_cases[name].tolist() for name in ("index", "column", "check", "failure_case"))
        faults: dict[int, list[str]] = {}
        for index, column, check, case in zip(*cases, strict=True):
            describe = _DESCRIBE.get(column)
            faults.setdefault(index, []).append(describe(str(case)) if describe else str(check))
        failed = pd.Series({index: "; ".join(faults[index]) for index in faults}, dtype="str")
        reasons = pd.concat([reasons, failed]).sort_index()
    return reasons


def _describe_label(word: str) -> str:
    if not word.strip():
        return "no label"
    if word.casefold() in MISSING_WORDS:
        return f"no label, written as {word!r}"
    return f"unknown label {word[:SHOWN_CHARACTERS]!r}"


def _describe_part(word: str) -> str:
    return f"unknown part {word[:SHOWN_CHARACTERS]!r} of the split" if word else "no part of the split"


_DESCRIBE: dict[str, Callable[[str], str]] = {
    "label": _describe_label,
    "part": _describe_part,
    "instrument": lambda _: f"instrument of more than {MAX_NAME} characters",
    "publisher": lambda _: f"publisher of more than {MAX_NAME} characters",
}
"""How a value that a column does not accept is described; for other columns the name of the check is shown."""


def _cut(raw: str) -> str:
    return raw if len(raw) <= MAX_RAW else f"{raw[:MAX_RAW]}... (cut here, {len(raw):,} characters in all)"

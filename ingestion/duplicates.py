"""Equal headlines: all are kept, or they are merged and disagreeing labels are resolved.

Headlines are equal if their texts are equal and their `about` is (see `describe_subjects`). Every row is counted.
"""

from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ingestion.identity import headline_id, normalise_text, text_id
from ingestion.masking import mask_texts
from ingestion.publication import format_days
from schemas.label import LABEL_VALUES

_ROWS_AT_ONCE = 100_000
"""Number of rows whose texts are held as Python objects at a time."""

Conflicts = Literal["drop", "majority", "keep"]


@dataclass(frozen=True)
class Resolved:
    """Rows after their copies were resolved, each frame in the order of the source.

    `headlines` has columns of `CandidateFrame` with `headline_id`, `text_id`, `masked_id`, `copies` and, instead of
    `part`, `parts`: the parts of its copies, separated by spaces. `rows` has the headline_id of each accepted
    candidate, by its index. `rejected` has row_number, reason and raw; `quarantined` has row_number, text_id, text,
    label and resolution.
    """

    headlines: pd.DataFrame
    rows: pd.Series
    rejected: pd.DataFrame
    quarantined: pd.DataFrame


def describe_subjects(candidates: pd.DataFrame, parts: Collection[str], timezone: str) -> pd.Series:
    """The fields that distinguish each candidate from headlines with the same text: its instrument, day and context.

    Args:
        candidates: Candidates with times of publication.
        parts: Which of instrument and day count; a context always does.
        timezone: The zone in which a day begins.
    """
    about = pd.Series("", index=candidates.index, dtype="str")
    values = {
        "instrument": candidates["instrument"],
        "day": format_days(candidates["published_at"], timezone),
        "context": candidates["context"],
    }
    for part, value in values.items():
        if part in {*parts, "context"} and value.notna().any():
            about = about + (f"{part}=" + value + "\n").fillna("")
    return about


def keep_duplicates(candidates: pd.DataFrame) -> Resolved:
    """Make every candidate a headline; the id of a copy includes its occurrence number. Contradictions are reported."""
    identified = _identify(candidates)
    occurrences = identified.groupby(["text", "label", "about"], sort=False).cumcount() + 1
    conflicting = identified[identified["labels"] > 1]
    headlines = _name(identified, occurrences).assign(copies=1, parts=identified["part"])
    return Resolved(
        headlines, headlines["headline_id"], _reject(identified.iloc[:0], []), _quarantine(conflicting, "kept")
    )


def merge_duplicates(candidates: pd.DataFrame, conflicts: Conflicts) -> Resolved:
    """Merge rows of equal text and label into one headline with its number of copies, and resolve contradictions.

    If copies differ in white space or composition, the normalised one is kept, or else the one that sorts first.
    """
    identified = _identify(candidates)
    conflicting = identified[identified["labels"] > 1]
    resolution = _resolve(conflicting, conflicts)
    refused = conflicting[resolution.isin(["dropped", "outvoted"])]
    merged = _merge_copies(identified, refused)
    headlines = _name(merged, pd.Series(1, index=merged.index))
    ids = headlines.set_index("headline")["headline_id"]
    accepted = identified["headline"][~identified["headline"].isin(refused["headline"])]
    return Resolved(
        headlines,
        ids.reindex(accepted).set_axis(accepted.index),
        _reject(refused, _explain(conflicting, resolution.loc[refused.index], conflicts)),
        _quarantine(conflicting, resolution),
    )


def _identify(candidates: pd.DataFrame) -> pd.DataFrame:
    """Add the ids of text and masked text, the number of each text and of each headline, and how often they occur."""
    with ThreadPoolExecutor(1) as masking:
        texts_at_once = (candidates["text"].iloc[start : start + _ROWS_AT_ONCE] for start in _starts(candidates))
        ids = [_find_ids(texts, masking) for texts in texts_at_once]
    identified = pd.concat([candidates, pd.concat(ids)], axis="columns")
    texts = pd.factorize(identified["text_id"] + identified["about"])[0]
    labels = pd.Categorical(identified["label"], categories=LABEL_VALUES).codes
    headlines = texts * len(LABEL_VALUES) + labels
    rows = np.bincount(headlines, minlength=(texts.max(initial=-1) + 1) * len(LABEL_VALUES))
    per_text = (rows.reshape(-1, len(LABEL_VALUES)) > 0).sum(axis=1)
    return identified.assign(equal=texts, headline=headlines, copies=rows[headlines], labels=per_text[texts])


def _starts(candidates: pd.DataFrame) -> range:
    return range(0, max(len(candidates), 1), _ROWS_AT_ONCE)


def _find_ids(texts: pd.Series, masking: ThreadPoolExecutor) -> pd.DataFrame:
    """The ids of texts and masked texts; Arrow masks them in another thread at the same time."""
    normalised = [normalise_text(text) for text in texts.tolist()]
    masked = masking.submit(mask_texts, normalised)
    columns = {
        "text_id": [text_id(text) for text in normalised],
        "masked_id": [text_id(text) for text in masked.result()],
    }
    return pd.DataFrame(columns, index=texts.index, dtype="str")


def _resolve(conflicting: pd.DataFrame, conflicts: Conflicts) -> pd.Series:
    """The resolution of each conflicting row: dropped, outvoted, majority or kept."""
    if conflicts != "majority":
        return pd.Series("dropped" if conflicts == "drop" else "kept", index=conflicting.index, dtype="str")
    rows = conflicting.groupby("equal")["label"].transform("size")
    wins = conflicting["copies"] * 2 > rows
    decided = wins.groupby(conflicting["equal"]).transform("any")
    resolution = pd.Series("dropped", index=conflicting.index, dtype="str")
    return resolution.mask(decided & ~wins, "outvoted").mask(wins, "majority")


def _explain(conflicting: pd.DataFrame, refused: pd.Series, conflicts: Conflicts) -> list[str]:
    """The reason for each refused row: the other labels of its text, the label that outvoted it, or a tie."""
    counts = {text: Counter(sorted(labels)) for text, labels in conflicting.groupby("equal")["label"]}
    rows = conflicting.loc[refused.index]
    outcomes = zip(rows["equal"].tolist(), rows["label"].tolist(), refused.tolist(), strict=True)
    return [_describe_refusal(counts[text], label, outcome, conflicts) for text, label, outcome in outcomes]


def _describe_refusal(labels: Counter[str], label: str, outcome: str, conflicts: Conflicts) -> str:
    """Why a row is refused, given the labels of its text, each with its number of rows."""
    [(first, most), (_, second), *_] = labels.most_common()
    if outcome == "outvoted":
        return f"{most} of {labels.total()} rows with this text are labelled {first}"
    if conflicts == "majority":
        counts = ", ".join(f"{number} {other}" for other, number in labels.items())
        return f"{'a tie' if most == second else 'no majority'} among the rows with this text: {counts}"
    return f"the same text is also labelled {' and '.join(other for other in labels if other != label)}"


def _merge_copies(identified: pd.DataFrame, refused: pd.DataFrame) -> pd.DataFrame:
    """One row for each text and label that is not refused, in the order of first appearance."""
    columns = [
        "row_number",
        "text",
        "label",
        "agreement",
        "context",
        "instrument",
        "part",
        "about",
        "text_id",
        "masked_id",
        "headline",
        "copies",
    ]
    stays = ~identified["headline"].duplicated() & ~identified["headline"].isin(refused["headline"])
    merged = identified.loc[stays, columns]
    copies = identified[identified["copies"] > 1]
    copies = copies.assign(odd=[normalise_text(text) != text for text in copies["text"].tolist()])
    kept = copies.sort_values(["odd", "text"], kind="stable").drop_duplicates("headline").set_index("headline")
    repeated = merged["copies"] > 1
    merged.loc[repeated, "text"] = kept["text"].reindex(merged.loc[repeated, "headline"]).to_numpy()
    highest = copies.groupby("headline")["agreement"].max()
    merged.loc[repeated, "agreement"] = highest.reindex(merged.loc[repeated, "headline"]).array
    return _join_parts(merged.rename(columns={"part": "parts"}), copies[copies["part"].notna()])


def _join_parts(merged: pd.DataFrame, copies: pd.DataFrame) -> pd.DataFrame:
    """Give each headline all parts of the split that its copies are in, separated by spaces."""
    if not copies.empty:
        joined = copies.groupby("headline")["part"].agg(lambda parts: " ".join(sorted(set(parts))))
        found = merged["headline"].isin(joined.index)
        merged.loc[found, "parts"] = joined.reindex(merged.loc[found, "headline"]).to_numpy()
    return merged


def _name(headlines: pd.DataFrame, occurrences: pd.Series) -> pd.DataFrame:
    names = (headlines["text"], headlines["label"], occurrences, headlines["about"])
    parts = zip(*(name.tolist() for name in names), strict=True)
    ids = pd.Series([headline_id(*part) for part in parts], index=headlines.index, dtype="str")
    return headlines.assign(headline_id=ids)


def _reject(rows: pd.DataFrame, reasons: list[str]) -> pd.DataFrame:
    reason = pd.Series(reasons, index=rows.index, dtype="str")
    return rows.assign(reason=reason)[["row_number", "reason", "raw"]]


def _quarantine(rows: pd.DataFrame, resolution: pd.Series | str) -> pd.DataFrame:
    resolutions = pd.Series(resolution, index=rows.index, dtype="str")
    return rows.assign(resolution=resolutions)[["row_number", "text_id", "text", "label", "resolution"]]

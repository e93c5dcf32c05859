"""What becomes of equal texts: kept as they are, or merged. Knows nothing of formats; counts every row."""

import pandas as pd

from ingestion.identity import headline_id, normalise_text, snapshot_id


def keep_duplicates(candidates: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Make every candidate a headline, in order; a copy's id holds its occurrence number.

    Returns:
        The headlines (columns of `HeadlineFrame`) and the id of their ordered list.
    """
    normalised = candidates["text"].map(normalise_text)
    occurrences = candidates.groupby([normalised, candidates["label"]]).cumcount() + 1
    headlines = _headlines(candidates.assign(normalised=normalised, occurrence=occurrences, copies=1))
    return headlines, snapshot_id(headlines["headline_id"])


def merge_duplicates(candidates: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Make equal texts one headline, the first with the number of copies, and reject those whose labels disagree.

    Returns:
        The headlines (columns of `HeadlineFrame`), the conflicting rows (columns of `RejectedFrame`), both in order,
        and the id of the headlines as a set, whatever their order and number of copies.
    """
    candidates = candidates.assign(normalised=candidates["text"].map(normalise_text))
    by_text = candidates.groupby("normalised")
    conflicting = by_text["label"].transform("nunique") > 1
    counted = candidates.assign(occurrence=1, copies=by_text["label"].transform("size"))
    headlines = _headlines(counted[~conflicting].drop_duplicates("normalised"))
    return headlines, _conflicts(candidates[conflicting]), snapshot_id(sorted(headlines["headline_id"]))


def _headlines(counted: pd.DataFrame) -> pd.DataFrame:
    parts = zip(counted["normalised"], counted["label"], counted["occurrence"], strict=True)
    ids = pd.Series([headline_id(*part) for part in parts], index=counted.index, dtype="str")
    columns = ["headline_id", "text", "label", "copies", "row_number"]
    return counted.assign(headline_id=ids)[columns].reset_index(drop=True)


def _conflicts(rows: pd.DataFrame) -> pd.DataFrame:
    labels = rows.groupby("normalised")["label"].agg(set).to_dict()
    reasons = [
        f"the same text is also labelled {' and '.join(sorted(labels[text] - {label}))}"
        for text, label in zip(rows["normalised"], rows["label"], strict=True)
    ]
    return rows.assign(reason=pd.Series(reasons, index=rows.index, dtype="str"))[["row_number", "reason", "raw"]]

"""Ingestion: a source is read, validated and counted, and every row is accepted, merged, rejected or left out.

Nothing is stored here.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, chain

import pandas as pd
from pandera.typing.pandas import DataFrame

from embedded.paths import EMBEDDED
from ingestion.damage import looks_damaged
from ingestion.duplicates import describe_subjects, keep_duplicates, merge_duplicates
from ingestion.files import SourceError
from ingestion.identity import describe_reading, describe_remembered, snapshot_id
from ingestion.labels import LabelWords
from ingestion.near_duplicates import group_near_copies
from ingestion.publication import resolve_dates
from ingestion.sources import Reading, Source, find_source, iterate_rows
from ingestion.validation import validate_rows
from schemas.columns import ReadColumns, join_columns
from schemas.frames import AcceptedFrame, GivenFrame, HeadlineFrame, QuarantineFrame, RejectedFrame
from schemas.source import DataSettings, DateOrder


@dataclass(frozen=True)
class Ingestion:
    """The result of reading a source.

    `rows_read + rows_added` is `len(accepted) + rows_merged + len(rejected) + len(left_out)`; `accepted.copies` adds up
    to the first two. Row numbers count the rows of a file from 1, without header and blank lines.
    """

    ingest_id: str
    snapshot_id: str
    source: str
    location: str
    kind: str
    sha256: str
    encoding: str
    synthetic: bool
    columns: ReadColumns
    reading: str
    settings: str
    """The settings that were given for the source, as JSON."""
    rows_read: int
    rows_merged: int
    rows_added: int
    """Rows that were added because a row with labels of several entities becomes one row for each."""
    date_order: DateOrder | None
    """The order of day and month in numeric dates, as given or found; None where there are none."""
    not_read: tuple[str, ...]
    """Files and sheets of the source that were skipped, each with the reason."""
    headlines_damaged: int
    """Accepted headlines whose text looks damaged (see `ingestion.damage`)."""
    damaged_example: str | None
    """The first of them."""
    accepted: DataFrame[HeadlineFrame]
    rejected: DataFrame[RejectedFrame]
    quarantined: DataFrame[QuarantineFrame]
    left_out: DataFrame[RejectedFrame]
    """Rows whose label the settings leave out, with the reason."""
    rows: DataFrame[AcceptedFrame]
    """The accepted rows."""
    given: DataFrame[GivenFrame]
    """The parts of an official split; no rows where the source has none."""
    order_counts: bool
    """Whether the order of rows is part of the snapshot: true if every row is kept, as in the study."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the accepted headlines."""
        return tuple(sorted(self.accepted["label"].unique()))

    @property
    def snapshot(self) -> DataFrame[HeadlineFrame]:
        """The accepted headlines in the order of the snapshot: that of the source if it counts, else by id."""
        return self.accepted if self.order_counts else self.accepted.sort_values("headline_id", ignore_index=True)


def read_source(data: DataSettings, source: Source | None = None) -> Ingestion:
    """Read, validate and count a source of labelled headlines.

    Args:
        data: Where the source is and how it is read.
        source: The source, if it was found before.

    Returns:
        Accepted headlines, rejected rows and those that are left out, in the order of the source.

    Raises:
        InputError: If the source cannot be read, is of no known kind or has no rows.
    """
    source = source or find_source(data)
    reading = Reading(not_read=list(source.not_read))
    found = iterate_rows(source, data, reading)
    first = next(found, None)
    if first is None:
        raise SourceError(f"source {data.source!r} has no rows: give a file with headlines")
    validated = validate_rows(chain([first], found), LabelWords.of(data))
    rows_added = sum(map(len, validated)) - sum(reading.rows)
    (candidates, invalid, left_out), date_order = resolve_dates(validated, data)
    candidates = candidates.assign(about=describe_subjects(candidates, data.identity, data.timezone))
    keep = data.duplicates == "keep"
    resolved = keep_duplicates(candidates) if keep else merge_duplicates(candidates, data.conflicts)
    rows = _list_rows(candidates, resolved.rows)
    del candidates, validated
    rejected = pd.concat([invalid, resolved.rejected]).sort_values("row_number", kind="stable")
    columns = join_columns(reading.columns)
    accepted = _group(resolved.headlines, data.near_duplicates)
    damaged = [text for text in accepted["text"] if looks_damaged(text)]
    ids = accepted["headline_id"]
    return Ingestion(
        ingest_id=source.ingest_id,
        snapshot_id=snapshot_id(ids if keep else sorted(ids), data.near_duplicates),
        source=source.name,
        location=source.location,
        kind=_name_kind(source, reading),
        sha256=source.sha256,
        encoding=", ".join(sorted(set(reading.encodings))),
        synthetic=source.synthetic,
        columns=columns,
        reading=describe_reading(data, columns),
        settings=describe_remembered(data),
        rows_read=sum(reading.rows),
        rows_merged=int((accepted["copies"] - 1).sum()),
        rows_added=rows_added,
        date_order=date_order,
        not_read=tuple(reading.not_read),
        headlines_damaged=len(damaged),
        damaged_example=damaged[0] if damaged else None,
        accepted=HeadlineFrame.validate(accepted),
        rejected=RejectedFrame.validate(_locate(rejected, source, reading)),
        quarantined=QuarantineFrame.validate(_locate(resolved.quarantined, source, reading)),
        left_out=RejectedFrame.validate(_locate(left_out, source, reading)),
        rows=AcceptedFrame.validate(_locate(rows, source, reading)),
        given=GivenFrame.validate(_list_given(resolved.headlines)),
        order_counts=keep,
    )


def _group(headlines: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Name each group of copies and near copies by the smallest id of a text in it."""
    groups = pd.factorize(headlines["masked_id"])[0]
    if measure == "reworded":
        groups = group_near_copies(headlines["text"][~headlines["masked_id"].duplicated()].tolist(), measure)[groups]
    smallest = headlines["text_id"].groupby(groups).min()
    group_ids = smallest.reindex(groups).set_axis(headlines.index)
    columns = [
        "headline_id",
        "text_id",
        "masked_id",
        "group_id",
        "text",
        "label",
        "copies",
        "agreement",
        "context",
        "instrument",
    ]
    return headlines.assign(group_id=group_ids)[columns].reset_index(drop=True)


def _list_rows(candidates: pd.DataFrame, headline_ids: pd.Series) -> pd.DataFrame:
    """The accepted candidates as rows of the source, in its order."""
    columns = ["row_number", "published_at", "instrument", "publisher", "extra"]
    rows = candidates.loc[headline_ids.index, columns]
    rows.insert(0, "headline_id", headline_ids)
    return rows


def _list_given(headlines: pd.DataFrame) -> pd.DataFrame:
    """A row for each headline and part of an official split."""
    given = headlines.loc[headlines["parts"].notna(), ["headline_id", "parts"]]
    listed = given.assign(part=given["parts"].str.split()).explode("part")
    return listed[["headline_id", "part"]].astype("str").reset_index(drop=True)


def _locate(rows: pd.DataFrame, source: Source, reading: Reading) -> pd.DataFrame:
    """Replace each row's number in the whole source by its file and its number in that file."""
    ends = list(accumulate(reading.rows))
    files = [bisect_right(ends, number - 1) for number in rows["row_number"]]
    starts = [0, *ends]
    numbers = [number - starts[file] for number, file in zip(rows["row_number"], files, strict=True)]
    located = rows.assign(row_number=pd.Series(numbers, index=rows.index, dtype="int64"))
    names = pd.Series([source.files[file].name for file in files], index=rows.index, dtype="str")
    located.insert(0, "source", names)
    return located.reset_index(drop=True)


def _name_kind(source: Source, reading: Reading) -> str:
    if source.location == EMBEDDED:
        return EMBEDDED
    kinds = ", ".join(sorted(set(reading.kinds)))
    return f"folder of {kinds}" if source.is_folder else kinds

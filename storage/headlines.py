"""The tables of data: sources, headlines, rejected rows, quarantine, snapshots."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast

import pandas as pd
from duckdb import DuckDBPyConnection

from schemas.columns import NO_COLUMNS, ReadColumns
from storage.accepted_rows import save_accepted_rows
from storage.order import next_number
from storage.read_again import fill_earlier, find_latest, next_ingest_id
from storage.refusals import forget_refusal
from storage.warehouse import is_up_to_date, reading, utc_now, writing

_LATEST_VISIT = (
    "FROM source_visits JOIN sources USING (ingest_id) WHERE source_visits.location = ?"
    " ORDER BY source_visits.number DESC LIMIT 1"
)


@dataclass(frozen=True)
class SourceRecord:
    """One ingestion; how many rows were accepted, rejected and quarantined follows from the frames."""

    ingest_id: str
    source: str
    location: str
    kind: str
    sha256: str
    encoding: str | None
    synthetic: bool
    rows_read: int
    rows_merged: int
    snapshot_id: str
    rows_added: int = 0
    """Extra rows from those with a label for each of several entities, which become a row for each."""
    columns: ReadColumns = NO_COLUMNS
    not_read: tuple[str, ...] = ()
    headlines_damaged: int = 0
    damaged_example: str | None = None
    reading: str = "{}"
    """The settings with which it was read, as JSON."""
    settings: str = "{}"
    """The settings that were given for its place, as JSON; see `schemas.source.DataSettings.remembered`."""
    again_of: str | None = None
    """The earlier ingestion of the same bytes and settings; see `save_ingestion`."""


@dataclass(frozen=True)
class StoredIngestion:
    """The result of an ingestion; `labels` are those of its headlines."""

    snapshot_id: str
    source: str
    synthetic: bool
    rows_read: int
    rows_accepted: int
    rows_merged: int
    rows_rejected: int
    rows_left_out: int
    rows_quarantined: int
    labels: tuple[str, ...]
    columns: ReadColumns = NO_COLUMNS


def save_ingestion(
    warehouse: Path,
    source: SourceRecord,
    accepted: pd.DataFrame,
    rejected: pd.DataFrame,
    quarantined: pd.DataFrame,
    *,
    left_out: pd.DataFrame | None = None,
    given: pd.DataFrame | None = None,
    rows: pd.DataFrame | None = None,
    order_counts: bool = True,
    again: bool = False,
) -> str:
    """Save a source, its headlines, its rejected rows and its snapshot; an ingestion that is known changes nothing.

    Earlier refusals of the same place are deleted. Everything is one transaction.

    Args:
        warehouse: The DuckDB file.
        source: The ingestion.
        accepted: A `schemas.frames.HeadlineFrame`.
        rejected: A `schemas.frames.RejectedFrame`.
        quarantined: A `schemas.frames.QuarantineFrame`.
        left_out: A `schemas.frames.RejectedFrame` of rows that the settings left out; None if there are none.
        given: A `schemas.frames.GivenFrame`.
        rows: A `schemas.frames.AcceptedFrame`.
        order_counts: The snapshot is in the order of `accepted`; else in the order of its ids, which sorts faster here
            than in the frame.
        again: The source was read although it is known. Rows that the warehouse lacks, or has with other values, are
            saved. Where its headlines differ, it becomes a new ingestion with a new snapshot.

    Returns:
        The ingestion's id.
    """
    with writing(warehouse) as connection:
        known = find_latest(connection, source.ingest_id)
        if known and not again:
            return known[0]
        connection.register("accepted", accepted)
        now = utc_now()
        if known and known[1] == source.snapshot_id:
            source = replace(source, ingest_id=known[0])
        else:
            if known:
                new_id = next_ingest_id(connection, source.ingest_id)
                source = replace(source, ingest_id=new_id, again_of=source.ingest_id)
            _save_snapshot(connection, source, now, "" if order_counts else "ORDER BY headline_id")
            forget_refusal(connection, source.location)
            found = {"rejected_rows": rejected, "left_out_rows": left_out, "quarantine": quarantined}
            found |= {"given_parts": given}
            for table, frame in found.items():
                _save_frame(connection, table, source.ingest_id, frame)
            _save_source(connection, source, now, len(accepted), found)
        if rows is not None:
            save_accepted_rows(connection, source.ingest_id, rows, again=again)
            if again:
                fill_earlier(connection, source.sha256, accepted, rows)
        if not _was_met_last(connection, source.location, source.ingest_id, source.settings):
            _save_visit(connection, source.location, source.ingest_id, source.settings, now)
    return source.ingest_id


def _save_frame(connection: DuckDBPyConnection, table: str, ingest_id: str, frame: pd.DataFrame | None) -> None:
    """Save one table of an ingestion, if it has rows for it."""
    if frame is None:
        return
    connection.register("found", frame)
    connection.execute(
        f"INSERT INTO {table} BY NAME SELECT $ingest_id AS ingest_id, * FROM found",  # noqa: S608 (our own names)
        {"ingest_id": ingest_id},
    )


def _save_source(
    connection: DuckDBPyConnection,
    source: SourceRecord,
    now: datetime,
    accepted: int,
    found: Mapping[str, pd.DataFrame | None],
) -> None:
    """Save the row of an ingestion, with the number of headlines and of the rows of each table."""
    counts = {table: 0 if frame is None else len(frame) for table, frame in found.items()}
    connection.execute(
        "INSERT INTO sources BY NAME SELECT $ingest_id AS ingest_id, $source AS source, $location AS location,"
        " $kind AS kind, $sha256 AS sha256, $encoding AS encoding, $synthetic AS synthetic, $reading AS reading,"
        " $rows_read AS rows_read, $rows_merged AS rows_merged, $snapshot_id AS snapshot_id,"
        " $accepted AS rows_accepted, $rejected AS rows_rejected, $quarantined AS rows_quarantined,"
        " $left_out AS rows_left_out, $label_shape AS label_shape,"
        " $text AS text_column, $label AS label_column, $other_texts AS other_text_columns,"
        " $other_labels AS other_label_columns, $not_read AS not_read,"
        " $published_at AS published_at_column, $instrument AS instrument_column,"
        " $publisher AS publisher_column, $context AS context_column,"
        " $extra AS extra_columns, $rows_added AS rows_added, $again_of AS again_of,"
        " $headlines_damaged AS headlines_damaged, $damaged_example AS damaged_example, $now AS ingested_at,"
        " $number AS number",
        {
            **{name: value for name, value in vars(source).items() if name not in {"columns", "settings"}},
            **{name: list(value or ()) for name, value in vars(source.columns).items() if name.startswith("other")},
            "text": source.columns.text,
            "label": source.columns.label,
            "published_at": source.columns.published_at,
            "instrument": source.columns.instrument,
            "publisher": source.columns.publisher,
            "context": source.columns.context,
            "extra": list(source.columns.kept),
            "not_read": list(source.not_read),
            "accepted": accepted,
            "rejected": counts["rejected_rows"],
            "quarantined": counts["quarantine"],
            "left_out": counts["left_out_rows"],
            "label_shape": source.columns.label_shape,
            "now": now,
            "number": next_number(connection, "sources"),
        },
    )


def load_given(warehouse: Path, ingest_id: str) -> pd.DataFrame:
    """The official split of a source: columns headline_id and part; no rows where none is known."""
    with reading(warehouse) as connection:
        if not is_up_to_date(connection):
            return pd.DataFrame(columns=["headline_id", "part"], dtype="str")
        frame: pd.DataFrame = connection.execute(
            "SELECT headline_id, part FROM given_parts WHERE ingest_id = ? ORDER BY ALL", [ingest_id]
        ).df()
    return frame


def _save_snapshot(connection: DuckDBPyConnection, source: SourceRecord, now: datetime, order: str) -> None:
    """Save the frame `accepted` as headlines and a snapshot, or add its copies and agreement to a known one."""
    known = connection.execute("FROM snapshots WHERE snapshot_id = ?", [source.snapshot_id]).fetchall()
    if known:
        _add_to_snapshot(connection, source)
        return
    connection.execute(
        "INSERT INTO headlines BY NAME SELECT headline_id, text, label, $ingest_id AS first_ingest_id, text_id,"
        " masked_id, context FROM accepted ANTI JOIN headlines USING (headline_id)",
        {"ingest_id": source.ingest_id},
    )
    connection.execute(
        "INSERT INTO snapshots BY NAME SELECT $snapshot_id AS snapshot_id, count(*) AS headline_count,"
        " $ingest_id AS ingest_id, $now AS created_at, $previous AS previous_snapshot_id, $number AS number"
        " FROM accepted",
        {
            "snapshot_id": source.snapshot_id,
            "ingest_id": source.ingest_id,
            "now": now,
            "previous": _find_previous(connection, source),
            "number": next_number(connection, "snapshots"),
        },
    )
    numbered = f"SELECT *, row_number() OVER ({order}) - 1 AS position FROM accepted"  # noqa: S608 (a constant of ours)
    connection.execute(
        "INSERT INTO snapshot_headlines BY NAME"  # noqa: S608
        " SELECT $snapshot_id AS snapshot_id, headline_id, position, copies, group_id, agreement"
        f" FROM ({numbered})",
        {"snapshot_id": source.snapshot_id},
    )


def _add_to_snapshot(connection: DuckDBPyConnection, source: SourceRecord) -> None:
    """Keep the numbers of copies that differ, and raise each headline's agreement to the highest of any source.

    A snapshot consists of headlines in order; how often they occur in a source is not part of it.
    """
    connection.execute(
        "INSERT INTO source_copies BY NAME SELECT $ingest_id AS ingest_id, headline_id, accepted.copies"
        " FROM accepted JOIN snapshot_headlines USING (headline_id)"
        " WHERE snapshot_id = $snapshot_id AND snapshot_headlines.copies <> accepted.copies",
        {"ingest_id": source.ingest_id, "snapshot_id": source.snapshot_id},
    )
    connection.execute(
        "UPDATE snapshot_headlines SET agreement = accepted.agreement FROM accepted"
        " WHERE snapshot_headlines.headline_id = accepted.headline_id AND snapshot_id = ?"
        " AND accepted.agreement > coalesce(snapshot_headlines.agreement, 0)",
        [source.snapshot_id],
    )


def _find_previous(connection: DuckDBPyConnection, source: SourceRecord) -> str | None:
    """The snapshot to which that of the frame `accepted` is compared.

    The latest of the same place that was read with the same settings, else the latest of that place. Else the latest of
    another place with half or more of its headlines in `accepted`, which is the same source under another name.
    """
    [(previous,)] = connection.execute(
        "SELECT coalesce("
        " (SELECT snapshot_id FROM source_visits JOIN sources USING (ingest_id)"
        " WHERE source_visits.location = $location"
        " ORDER BY coalesce(reading = $reading, false) DESC, source_visits.number DESC LIMIT 1),"
        " (SELECT snapshot_id FROM snapshots WHERE headline_count <= 2 * (SELECT count(*) FROM snapshot_headlines"
        " JOIN headlines USING (headline_id) SEMI JOIN accepted USING (text_id)"
        " WHERE snapshot_headlines.snapshot_id = snapshots.snapshot_id) ORDER BY number DESC LIMIT 1))",
        {"location": source.location, "reading": source.reading},
    ).fetchall()
    return cast("str | None", previous)


def meet_again(warehouse: Path, location: str, ingest_id: str, settings: str) -> None:
    """Record that a place holds the data of a known ingestion, and the settings given for it; see `SourceRecord`.

    Nothing changes if the latest visit of the place recorded the same.
    """
    with reading(warehouse) as connection:
        if _was_met_last(connection, location, ingest_id, settings):
            return
    with writing(warehouse) as connection:
        if not _was_met_last(connection, location, ingest_id, settings):  # another process may have been here since
            _save_visit(connection, location, ingest_id, settings, utc_now())


def _save_visit(connection: DuckDBPyConnection, location: str, ingest_id: str, settings: str, met_at: datetime) -> None:
    connection.execute(
        "INSERT INTO source_visits (location, ingest_id, settings, met_at, number) VALUES (?, ?, ?, ?, ?)",
        [location, ingest_id, settings, met_at, next_number(connection, "source_visits")],
    )


def _was_met_last(connection: DuckDBPyConnection, location: str, ingest_id: str, settings: str) -> bool:
    latest: list[tuple[str, str]] = connection.execute(
        f"SELECT ingest_id, source_visits.settings {_LATEST_VISIT}", [location]
    ).fetchall()
    return latest == [(ingest_id, settings)]


def load_ingestion(warehouse: Path, ingest_id: str) -> StoredIngestion | None:
    """The result of an ingestion.

    None if the warehouse does not know it, or is of an older version that no run has brought up to date.
    """
    with reading(warehouse) as connection:
        if not is_up_to_date(connection):
            return None
        cursor = connection.execute(
            "SELECT snapshot_id, source, synthetic, rows_read, rows_accepted, rows_merged, rows_rejected,"
            " coalesce(rows_left_out, 0) AS rows_left_out, coalesce(rows_quarantined, 0) AS rows_quarantined"
            " FROM sources WHERE ingest_id = ?",
            [ingest_id],
        )
        columns, found = [column[0] for column in cursor.description], cursor.fetchone()
        read = load_columns(connection, ingest_id)
        labels = connection.execute(
            "SELECT DISTINCT label FROM sources JOIN snapshot_headlines USING (snapshot_id)"
            " JOIN headlines USING (headline_id) WHERE sources.ingest_id = ? ORDER BY label",
            [ingest_id],
        ).fetchall()
    known = dict(zip(columns, found or columns, strict=True))
    return StoredIngestion(**known, labels=tuple(label for (label,) in labels), columns=read) if found else None


def load_rejected(warehouse: Path, ingest_id: str) -> pd.DataFrame:
    """The rejected rows of an ingestion: columns source, row_number, reason, raw."""
    with reading(warehouse) as connection:
        frame: pd.DataFrame = connection.execute(
            "SELECT source, row_number, reason, raw FROM rejected_rows WHERE ingest_id = ? ORDER BY ALL", [ingest_id]
        ).df()
    return frame


def load_columns(connection: DuckDBPyConnection, ingest_id: str) -> ReadColumns:
    """The columns that an ingestion read; empty if an earlier version did not store them."""
    [found] = connection.execute(
        "SELECT text_column, label_column, coalesce(other_text_columns, []), coalesce(other_label_columns, []),"
        " label_shape, published_at_column, instrument_column, publisher_column, context_column,"
        " coalesce(extra_columns, [])"
        " FROM (SELECT ?::VARCHAR AS ingest_id) LEFT JOIN sources USING (ingest_id)",
        [ingest_id],
    ).fetchall()
    text, label, other_texts, other_labels, shape, published_at, instrument, publisher, context, extra = found
    return ReadColumns(
        *(text, label, tuple(other_texts), tuple(other_labels), shape, tuple(extra)),
        published_at=published_at,
        instrument=instrument,
        publisher=publisher,
        context=context,
    )


def load_unmasked(warehouse: Path) -> pd.DataFrame:
    """The headlines that an earlier version saved without the ids of this one: columns headline_id, text."""
    with reading(warehouse) as connection:
        frame: pd.DataFrame = connection.execute("SELECT headline_id, text FROM headlines WHERE masked_id IS NULL").df()
    return frame


def save_masks(warehouse: Path, masks: pd.DataFrame) -> None:
    """Save the ids of headlines that lack them: columns headline_id, text_id, masked_id."""
    with writing(warehouse) as connection:
        connection.register("masks", masks)
        connection.execute(
            "UPDATE headlines SET text_id = masks.text_id, masked_id = masks.masked_id FROM masks"
            " WHERE headlines.headline_id = masks.headline_id"
        )


def load_snapshot(warehouse: Path, snapshot_id: str) -> pd.DataFrame:
    """The snapshot's headlines in order: their ids, text, label, copies, context and instrument."""
    with reading(warehouse) as connection:
        frame: pd.DataFrame = connection.execute(
            "SELECT headline_id, text_id, masked_id, group_id, text, label, copies, context, instrument"
            " FROM snapshot_headlines JOIN headlines USING (headline_id) WHERE snapshot_id = ? ORDER BY position",
            [snapshot_id],
        ).df()
    return frame

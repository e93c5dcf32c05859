"""The tables of an ingestion: its source, headlines, rejected rows and quarantine."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
from duckdb import DuckDBPyConnection

from schemas.columns import ReadColumns
from storage.accepted_rows import save_accepted_rows
from storage.named_rows import as_row, insert_frame, named_row
from storage.order import next_number
from storage.read_again import fill_earlier, find_latest, next_ingest_id, save_date_order
from storage.refusals import forget_refusal
from storage.snapshots import save_snapshot
from storage.source_records import SourceRecord, StoredIngestion
from storage.visits import is_last_visit, is_read_otherwise, save_visit
from storage.warehouse import reading, utc_now, writing


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
            save_date_order(connection, source.ingest_id, source.date_order)
            if given is not None:
                connection.execute("DELETE FROM given_parts WHERE ingest_id = ?", [source.ingest_id])
                insert_frame(connection, "given_parts", given, ingest_id=source.ingest_id)
        else:
            if known:
                new_id = next_ingest_id(connection, source.ingest_id)
                source = replace(source, ingest_id=new_id, again_of=source.ingest_id)
            save_snapshot(connection, source, now, "" if order_counts else "ORDER BY headline_id")
            forget_refusal(connection, source.location)
            found = {"rejected_rows": rejected, "left_out_rows": left_out, "quarantine": quarantined}
            found |= {"given_parts": given}
            for table, frame in found.items():
                if frame is not None:
                    insert_frame(connection, table, frame, ingest_id=source.ingest_id)
            _save_source(connection, source, now, len(accepted), found)
        if rows is not None:
            otherwise = is_read_otherwise(connection, source.location, source.sha256, source.settings)
            save_accepted_rows(connection, source.ingest_id, rows, again=again or otherwise)
            if again:
                fill_earlier(connection, source.sha256, accepted, rows, source.date_order)
        if not is_last_visit(connection, source.location, source.ingest_id, source.settings):
            save_visit(connection, source.location, source.ingest_id, source.settings, now)
    return source.ingest_id


def _save_source(
    connection: DuckDBPyConnection,
    source: SourceRecord,
    now: datetime,
    accepted: int,
    found: Mapping[str, pd.DataFrame | None],
) -> None:
    """Save the row of an ingestion, with the number of headlines and of the rows of each table."""
    counts = {table: 0 if frame is None else len(frame) for table, frame in found.items()}
    read = source.columns
    row = {
        **{name: value for name, value in vars(source).items() if name not in {"columns", "settings"}},
        "not_read": list(source.not_read),
        "rows_accepted": accepted,
        "rows_rejected": counts["rejected_rows"],
        "rows_quarantined": counts["quarantine"],
        "rows_left_out": counts["left_out_rows"],
        "label_shape": read.label_shape,
        "text_column": read.text,
        "label_column": read.label,
        "other_text_columns": list(read.other_texts or ()),
        "other_label_columns": list(read.other_labels or ()),
        "published_at_column": read.published_at,
        "instrument_column": read.instrument,
        "publisher_column": read.publisher,
        "context_column": read.context,
        "extra_columns": list(read.kept),
        "ingested_at": now,
        "number": next_number(connection, "sources"),
    }
    connection.execute(f"INSERT INTO sources BY NAME {as_row(row)}", row)


def load_given(warehouse: Path, ingest_id: str) -> pd.DataFrame:
    """The official split of a source: columns headline_id and part; no rows where none is known."""
    with reading(warehouse) as connection:
        return connection.execute(
            "SELECT headline_id, part FROM given_parts WHERE ingest_id = ? ORDER BY ALL", [ingest_id]
        ).df()


def load_ingestion(warehouse: Path, ingest_id: str) -> StoredIngestion | None:
    """The result of an ingestion; None if the warehouse does not know it."""
    with reading(warehouse) as connection:
        cursor = connection.execute(
            "SELECT snapshot_id, source, synthetic, rows_read, coalesce(rows_added, 0) AS rows_added, rows_accepted,"
            " rows_rejected, coalesce(rows_left_out, 0) AS rows_left_out"
            " FROM sources WHERE ingest_id = ?",
            [ingest_id],
        )
        known = named_row(cursor)
        read = load_columns(connection, ingest_id)
        labels = connection.execute(
            "SELECT DISTINCT label FROM sources JOIN snapshot_headlines USING (snapshot_id)"
            " JOIN headlines USING (headline_id) WHERE sources.ingest_id = ? ORDER BY label",
            [ingest_id],
        ).fetchall()
    return StoredIngestion(**known, labels=tuple(label for (label,) in labels), columns=read) if known else None


def load_rejected(warehouse: Path, ingest_id: str) -> pd.DataFrame:
    """The rejected rows of an ingestion: columns source, row_number, reason, raw."""
    with reading(warehouse) as connection:
        return connection.execute(
            "SELECT source, row_number, reason, raw FROM rejected_rows WHERE ingest_id = ? ORDER BY ALL", [ingest_id]
        ).df()


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
        return connection.execute("SELECT headline_id, text FROM headlines WHERE masked_id IS NULL").df()


def save_masks(warehouse: Path, masks: pd.DataFrame) -> None:
    """Save the ids of headlines that lack them: columns headline_id, text_id, masked_id."""
    with writing(warehouse) as connection:
        connection.register("masks", masks)
        connection.execute(
            "UPDATE headlines SET text_id = masks.text_id, masked_id = masks.masked_id FROM masks"
            " WHERE headlines.headline_id = masks.headline_id"
        )

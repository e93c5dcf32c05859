"""The tables of data: sources, headlines, rejected rows, snapshots and splits. Knows no model and reads no source."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from storage.warehouse import reading, utc_now, writing


@dataclass(frozen=True)
class SourceRecord:
    """One ingestion; how many rows were accepted and rejected follows from the frames."""

    ingest_id: str
    source: str
    kind: str
    sha256: str
    encoding: str | None
    synthetic: bool
    rows_read: int
    rows_merged: int
    snapshot_id: str


@dataclass(frozen=True)
class StoredIngestion:
    """What came of an ingestion; `reasons` are the commonest of its rejected rows, with their number."""

    snapshot_id: str
    rows_read: int
    rows_accepted: int
    rows_merged: int
    rows_rejected: int
    reasons: tuple[tuple[str, int], ...]


def save_ingestion(warehouse: Path, source: SourceRecord, accepted: pd.DataFrame, rejected: pd.DataFrame) -> str:
    """Save a source, its headlines, its rejected rows and its snapshot; an ingestion that is known changes nothing.

    Args:
        warehouse: The DuckDB file.
        source: The ingestion.
        accepted: A `schemas.frames.HeadlineFrame`, in the order of the snapshot.
        rejected: A `schemas.frames.RejectedFrame`.

    Returns:
        The ingestion's id.
    """
    with writing(warehouse) as connection:
        if connection.execute("FROM sources WHERE ingest_id = ?", [source.ingest_id]).fetchall():
            return source.ingest_id
        connection.register("accepted", accepted.assign(position=range(len(accepted))))
        connection.register("rejected", rejected)
        of_ingestion = {"ingest_id": source.ingest_id}
        connection.execute(
            "INSERT OR IGNORE INTO headlines BY NAME"
            " SELECT headline_id, text, label, $ingest_id AS first_ingest_id FROM accepted",
            of_ingestion,
        )
        connection.execute(
            "INSERT OR IGNORE INTO snapshot_headlines BY NAME"
            " SELECT $snapshot_id AS snapshot_id, headline_id, position, copies FROM accepted",
            {"snapshot_id": source.snapshot_id},
        )
        connection.execute(
            "INSERT INTO rejected_rows BY NAME"
            " SELECT $ingest_id AS ingest_id, $source AS source, row_number, reason, raw FROM rejected",
            {**of_ingestion, "source": source.source},
        )
        now = utc_now()
        connection.execute(
            "INSERT OR IGNORE INTO snapshots (snapshot_id, headline_count, ingest_id, created_at) VALUES (?, ?, ?, ?)",
            [source.snapshot_id, len(accepted), source.ingest_id, now],
        )
        connection.execute(
            "INSERT INTO sources (ingest_id, source, kind, sha256, encoding, synthetic, rows_read, rows_merged,"
            " snapshot_id, rows_accepted, rows_rejected, ingested_at) VALUES ($ingest_id, $source, $kind, $sha256,"
            " $encoding, $synthetic, $rows_read, $rows_merged, $snapshot_id, $accepted, $rejected, $now)",
            {**vars(source), "accepted": len(accepted), "rejected": len(rejected), "now": now},
        )
    return source.ingest_id


def load_ingestion(warehouse: Path, ingest_id: str, most_reasons: int) -> StoredIngestion:
    """What came of an ingestion, with the commonest reasons of its rejected rows, `most_reasons` at most."""
    with reading(warehouse) as connection:
        [(snapshot_id, read, accepted, merged, rejected)] = connection.execute(
            "SELECT snapshot_id, rows_read, rows_accepted, rows_merged, rows_rejected FROM sources WHERE ingest_id = ?",
            [ingest_id],
        ).fetchall()
        reasons = connection.execute(
            "SELECT reason, count(*) FROM rejected_rows WHERE ingest_id = ? GROUP BY reason"
            " ORDER BY count(*) DESC, reason LIMIT ?",
            [ingest_id, most_reasons],
        ).fetchall()
    return StoredIngestion(snapshot_id, read, accepted, merged, rejected, tuple(reasons))


def load_snapshot(warehouse: Path, snapshot_id: str) -> pd.DataFrame:
    """The snapshot's headlines in order: columns headline_id, text, label, position, copies."""
    with reading(warehouse) as connection:
        frame: pd.DataFrame = connection.execute(
            "SELECT headline_id, text, label, position, copies"
            " FROM snapshot_headlines JOIN headlines USING (headline_id) WHERE snapshot_id = ? ORDER BY position",
            [snapshot_id],
        ).df()
    return frame


def save_split(
    warehouse: Path, split_id: str, snapshot_id: str, parts: dict[str, list[str]], settings: Mapping[str, Any]
) -> None:
    """Save which headlines are in which part (train, validation, test); a split that is known stays as it is.

    Args:
        warehouse: The DuckDB file.
        split_id: The split.
        snapshot_id: What it divides.
        parts: Ids of headlines by part.
        settings: How it was drawn: a `schemas.config.SplitSettings` as JSON would hold it.
    """
    with writing(warehouse) as connection:
        if connection.execute("FROM splits WHERE split_id = ? LIMIT 1", [split_id]).fetchall():
            return
        rows = [(headline_id, part) for part, headline_ids in parts.items() for headline_id in headline_ids]
        connection.register("incoming", pd.DataFrame(rows, columns=["headline_id", "part"]))
        connection.execute(
            "INSERT INTO splits BY NAME"
            " SELECT $split_id AS split_id, $snapshot_id AS snapshot_id, headline_id, part FROM incoming",
            {"split_id": split_id, "snapshot_id": snapshot_id},
        )
        record = "INSERT INTO split_settings (split_id, settings) VALUES (?, ?)"
        connection.execute(record, [split_id, _compact_json(settings)])


def load_earlier_parts(warehouse: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """The part of every headline in the splits that were drawn with these settings; `test` if it ever was there."""
    with reading(warehouse) as connection:
        # A preview may look into a warehouse that no run has brought up to date.
        if not connection.execute("FROM duckdb_tables() WHERE table_name = 'split_settings'").fetchall():
            return {}
        rows: list[tuple[str, str]] = connection.execute(
            "SELECT headline_id, max_by(part, part = 'test') FROM splits JOIN split_settings USING (split_id)"
            " WHERE settings = ?::JSON GROUP BY headline_id",
            [_compact_json(settings)],
        ).fetchall()
    return dict(rows)


def load_part(warehouse: Path, split_id: str, part: str) -> pd.DataFrame:
    """The headlines of one part in the order of the snapshot: columns headline_id, text, label."""
    with reading(warehouse) as connection:
        frame: pd.DataFrame = connection.execute(
            "SELECT headline_id, text, label FROM splits JOIN snapshot_headlines USING (snapshot_id, headline_id)"
            " JOIN headlines USING (headline_id) WHERE split_id = ? AND part = ? ORDER BY position",
            [split_id, part],
        ).df()
    return frame


def load_split_counts(warehouse: Path, split_id: str) -> list[tuple[str, str, int]]:
    """How many headlines each part has of each label: (part, label, n), train first and test last."""
    with reading(warehouse) as connection:
        rows: list[tuple[str, str, int]] = connection.execute(
            "SELECT part, label, count(*) FROM splits JOIN headlines USING (headline_id) WHERE split_id = ?"
            " GROUP BY part, label ORDER BY list_position(['train', 'validation', 'test'], part), label",
            [split_id],
        ).fetchall()
    return rows


def _compact_json(settings: Mapping[str, Any]) -> str:
    """JSON as DuckDB writes it, because it compares JSON as text."""
    return json.dumps(settings, separators=(",", ":"))

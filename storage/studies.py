"""The table of studies: what each is, its progress, and what its base models may have read before."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from schemas.errors import FailureError
from schemas.source import DateOrder
from storage.lookup import unknown
from storage.named_rows import as_row
from storage.order import next_number
from storage.report_queries import cutoffs_query
from storage.warehouse import reading, utc_now, writing

StudyEnd = Literal["finished", "incomplete", "failed", "interrupted"]


class StudyDeletedError(FailureError):
    """A study that is about to run is not in the warehouse any more."""


@dataclass(frozen=True)
class StudyRecord:
    """A study as it is known before it runs."""

    study_id: str
    profile: str
    snapshot_id: str
    split_id: str
    base_model: str
    base_revision: str | None
    source: str
    synthetic: bool
    config: dict[str, Any]
    temperatures: tuple[float, ...]
    decoding_id: str
    ingest_id: str | None = None
    """The ingestion that gave its snapshot; None where it is not known."""
    name: str | None = None
    """Its readable name; None where this run gives none."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Its tags; empty where this run gives none."""


def save_study(warehouse: Path, study: StudyRecord) -> None:
    """Save a study that is to run; of a known one only the name and the tags change, where some are given."""
    with writing(warehouse) as connection:
        row = {
            **{name: value for name, value in vars(study).items() if name != "tags"},
            "config": json.dumps(study.config),
            "status": "running",
            "started_at": utc_now(),
            "number": next_number(connection, "studies"),
        }
        connection.execute(
            f"INSERT INTO studies BY NAME {as_row(row)}, MAP($keys::VARCHAR[], $values::VARCHAR[]) AS tags"
            " ON CONFLICT DO UPDATE SET name = coalesce(excluded.name, name),"
            " tags = if(cardinality(excluded.tags) > 0, excluded.tags, tags)",
            {**row, "keys": list(study.tags), "values": list(study.tags.values())},
        )


def is_known(warehouse: Path, study_id: str) -> bool:
    """Whether there is such a study."""
    with reading(warehouse) as connection:
        return bool(connection.execute("FROM studies WHERE study_id = ?", [study_id]).fetchall())


def start_study(warehouse: Path, study_id: str, config: dict[str, Any]) -> None:
    """Record that the study runs, for the first time or again, and its settings.

    Raises:
        StudyDeletedError: It is not there any more.
    """
    with writing(warehouse) as connection:
        started = connection.execute(
            "UPDATE studies SET status = 'running', started_at = ?, finished_at = NULL, number = ?, config = ?"
            " WHERE study_id = ? RETURNING study_id",
            [utc_now(), next_number(connection, "studies"), json.dumps(config), study_id],
        ).fetchall()
    if not started:
        raise StudyDeletedError(f"study {study_id}: it was deleted before it began; run it again")


def is_answered(warehouse: Path, study_id: str) -> bool:
    """Whether the study's last run finished, its cells are evaluated on both parts and compared, and one was judged.

    A study of folds is not judged.
    """
    with reading(warehouse) as connection:
        answered = connection.execute(
            "SELECT study_id FROM studies WHERE study_id = $study_id AND status = 'finished'"
            " AND study_id NOT IN (SELECT study_id FROM missing_cells WHERE NOT is_final)"
            " AND (study_id IN (SELECT study_id FROM ledger.comparisons)"
            " OR (SELECT count(*) FROM study_cells WHERE study_id = $study_id) <= 1)"
            " AND (study_id IN (SELECT study_id FROM champions WHERE decided_by = 'gate')"
            " OR split_id IN (SELECT split_id FROM split_folds))",
            {"study_id": study_id},
        ).fetchall()
    return bool(answered)


def finish_study(warehouse: Path, study_id: str, status: StudyEnd) -> None:
    """Record that the study's run ended."""
    with writing(warehouse) as connection:
        connection.execute(
            "UPDATE studies SET status = ?, finished_at = ? WHERE study_id = ?", [status, utc_now(), study_id]
        )


def load_study_of(warehouse: Path, cell_id: str) -> str:
    """The latest study of a cell.

    Raises:
        UnknownIdError: No study has such a cell.
    """
    return str(_latest_study_of(warehouse, cell_id, "study_id"))


def load_config_of(warehouse: Path, cell_id: str) -> dict[str, Any]:
    """Every setting of the latest study of a cell.

    Raises:
        UnknownIdError: No study has such a cell.
    """
    config: dict[str, Any] = json.loads(_latest_study_of(warehouse, cell_id, "config"))
    return config


def load_date_order_of(warehouse: Path, cell_id: str) -> DateOrder | None:
    """The order of day and month in the dates of the source of a cell's latest study; None if it is not known.

    Raises:
        UnknownIdError: No study has such a cell.
    """
    study_id = load_study_of(warehouse, cell_id)
    with reading(warehouse) as connection:
        found = connection.execute(
            "SELECT date_order FROM ledger.study_sources JOIN sources USING (ingest_id) WHERE study_id = ?", [study_id]
        ).fetchone()
    return found[0] if found else None


def _latest_study_of(warehouse: Path, cell_id: str, column: str) -> Any:
    with reading(warehouse) as connection:
        rows = connection.execute(
            f"SELECT {column} FROM studies JOIN study_cells USING (study_id) WHERE cell_id = ?"  # noqa: S608 (our own names)
            " ORDER BY number DESC LIMIT 1",
            [cell_id],
        ).fetchall()
    if not rows:
        raise unknown("cell", cell_id)
    return rows[0][0]


def load_cutoffs(warehouse: Path, study_id: str) -> list[tuple[str, date, int, int]]:
    """Each base model of a study whose last day of training is known.

    Returns:
        Its name, that day, how many test headlines were published on it or before, and how many there are.
    """
    with reading(warehouse) as connection:
        rows: list[tuple[str, date, int, int]] = connection.execute(cutoffs_query(study_id)).fetchall()
    return rows

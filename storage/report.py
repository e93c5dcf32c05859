"""Everything that the report of a study shows, read from the views at once."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.report import Chosen, StudyReport, Table
from storage.champions import load_champion, load_decision
from storage.comparisons import load_verdicts
from storage.contenders import read_contenders
from storage.data_report import load_data_report
from storage.report_queries import report_queries
from storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

_STUDY = (
    "study_id, profile, status, source, synthetic, base_model, base_revision, snapshot_id, split_id,"
    " finished_at, config, name, tags"
)


def load_report(warehouse: Path, study_id: str, chosen: Chosen, missing: tuple[str, ...], act_at: float) -> StudyReport:
    """Read a study and its results.

    Args:
        warehouse: The DuckDB file.
        study_id: The study.
        chosen: The cell that validation chose.
        missing: Cells that the study lacks, in words.
        act_at: Confidence from which the desk acts on an answer.
    """
    with reading(warehouse) as connection:
        study = read_table(connection, f"SELECT {_STUDY} FROM studies WHERE study_id = '{study_id}'").records()[0]  # noqa: S608
        contenders = read_contenders(connection, study_id, chosen)
        queries = report_queries(study_id, chosen, contenders, act_at)
        tables = {name: read_table(connection, sql) for name, sql in queries.items()}
        [(ingest_id,)] = connection.execute(
            "SELECT ingest_id FROM ledger.study_sources WHERE study_id = ?", [study_id]
        ).fetchall()
    return StudyReport(
        **{**study, "config": json.loads(study["config"])},
        chosen=chosen,
        act_at=act_at,
        contenders=contenders,
        verdict=load_verdicts(warehouse, study_id, chosen.cell_id).get(chosen.temperature),
        decision=load_decision(warehouse, study_id),
        champion=load_champion(warehouse),
        missing=missing,
        data=load_data_report(warehouse, ingest_id),
        tables=tables,
    )


def read_table(connection: "duckdb.DuckDBPyConnection", sql: str, **values: object) -> Table:
    """The rows of a query with these parameters, with the query."""
    cursor: Any = connection.execute(sql, values)
    return Table(sql, tuple(column[0] for column in cursor.description), cursor.fetchall())

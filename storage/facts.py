"""What a warehouse knows about one study, cell or snapshot: facts by name, and tables of rows."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.lookup import Entry, UnknownIdError
from storage.named_rows import named_rows
from storage.order import LEADERBOARD_ORDER, PART_ORDER
from storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

_ROWS = {
    "study": "SELECT study_id AS study, name, tags, status, profile, source, base_model, base_revision, snapshot_id AS"
    " snapshot, split_id AS split, temperatures, started_at, finished_at FROM studies WHERE study_id = $id",
    "cell": "SELECT cell_id AS cell, latest.name, kind, model, base_revision,"
    " if(drops.cell_id IS NULL, status, 'dropped') AS status, reason, snapshot_id AS"
    " snapshot, split_id AS split, started_at, finished_at, steps, round(train_seconds, 1) AS train_seconds,"
    " round(examples_per_second, 1) AS headlines_per_second, peak_memory_bytes // 1000000 AS peak_memory_megabytes,"
    " adapter_hash FROM cells LEFT JOIN ledger.latest_studies AS latest USING (cell_id)"
    " LEFT JOIN ledger.drops USING (study_id, cell_id) WHERE cell_id = $id",
    "snapshot": "SELECT snapshot_id AS snapshot, headline_count AS headlines, created_at FROM snapshots"
    " WHERE snapshot_id = $id",
}
_TABLES = {
    "study": {
        "parts": "SELECT part, count(*) AS headlines, count(*) FILTER (label = 'negative') AS negative,"  # noqa: S608
        " count(*) FILTER (label = 'neutral') AS neutral, count(*) FILTER (label = 'positive') AS positive"
        " FROM splits JOIN headlines USING (headline_id)"
        " WHERE split_id = (SELECT split_id FROM studies WHERE study_id = $id) GROUP BY part"
        f" ORDER BY {PART_ORDER}",
        "leaderboard": "SELECT cell_id AS cell, cell_name, temperature, accuracy, accuracy_low, accuracy_high,"  # noqa: S608
        " macro_f1, is_champion FROM leaderboard WHERE study_id = $id AND part = 'test'"
        f" ORDER BY {LEADERBOARD_ORDER}",
        "missing_cells": "SELECT cell_id AS cell, cell_name, status, reason FROM missing_cells WHERE study_id = $id",
        "dropped_cells": "SELECT cell_id AS cell, cell_name, epoch, p_value, bound, accuracy,"
        " best_accuracy, best_cell_name FROM dropped_cells WHERE study_id = $id",
    },
    "cell": {
        "studies": "SELECT study_id AS study, studies.name, study_cells.name AS cell_name, status, started_at"
        " FROM studies JOIN study_cells USING (study_id) WHERE cell_id = $id ORDER BY number DESC",
        "dropped": "SELECT study_id AS study, epoch, p_value, bound, accuracy,"
        " best_accuracy, best_cell_name FROM dropped_cells WHERE cell_id = $id"
        " ORDER BY dropped_at DESC",
        "figures": "SELECT DISTINCT part, temperature, n, accuracy, accuracy_low, accuracy_high,"
        " macro_f1, unparsed_rate AS unparsed FROM evaluations WHERE cell_id = $id"
        " ORDER BY ALL",
        "against_the_best_baseline": "SELECT temperature, baseline, baseline_cell_id AS baseline_cell,"
        " difference, difference_low, difference_high, p_holm, beats_baseline FROM baseline_verdicts"
        " WHERE cell_id = $id AND part = 'test' AND study_id = (SELECT study_id FROM ledger.latest_studies"
        " WHERE cell_id = $id) ORDER BY temperature",
        "decisions": "SELECT number, decided_at, coalesce(person, decided_by) AS decided_by, decision, temperature,"
        " reason FROM champions WHERE cell_id = $id ORDER BY number",
    },
    "snapshot": {
        "labels": "SELECT label, count(*) AS headlines, sum(copies)::BIGINT AS rows FROM snapshot_headlines"
        " JOIN headlines USING (headline_id) WHERE snapshot_id = $id GROUP BY label ORDER BY label",
        "sources": "SELECT ingest_id AS ingestion, source, kind, rows_read, rows_rejected, rows_merged, ingested_at"
        " FROM sources WHERE snapshot_id = $id ORDER BY number DESC",
        "splits": "SELECT split_id AS split, count(*) FILTER (part = 'train') AS train,"
        " count(*) FILTER (part = 'validation') AS validation, count(*) FILTER (part = 'test') AS test FROM splits"
        " WHERE snapshot_id = $id GROUP BY split_id ORDER BY split_id",
        "studies": "SELECT study_id AS study, name, status, profile, started_at FROM studies WHERE snapshot_id = $id"
        " ORDER BY number DESC",
    },
}

_KEYS = {
    "decision": ("champions", "champion_id"),
    "split": ("split_settings", "split_id"),
    "ingestion": ("sources", "ingest_id"),
    "evaluation": ("evaluations", "evaluation_id"),
    "scoring": ("scorings", "scoring_id"),
    "headline": ("headlines", "headline_id"),
}
"""Table and key of each kind that is shown as one row."""


def load_facts(warehouse: Path, entry: Entry) -> tuple[Row, dict[str, list[Row]]]:
    """What is known about a study, a cell or a snapshot.

    Returns:
        Its facts, and its tables except those without rows.

    Raises:
        UnknownIdError: It is not there any more.
    """
    with reading(warehouse) as connection:
        rows = _fetch(connection, _ROWS[entry.kind], entry)
        if not rows:
            raise UnknownIdError(f"{entry}: not in the warehouse, as its study was deleted")
        tables = {name: _fetch(connection, query, entry) for name, query in _TABLES[entry.kind].items()}
    return rows[0], {name: rows for name, rows in tables.items() if rows}


def _fetch(connection: "duckdb.DuckDBPyConnection", query: str, entry: Entry) -> list[Row]:
    """The rows of a query by the names of its columns, times to the second."""
    rows = named_rows(connection.execute(query, {"id": entry.identifier}))
    return [{name: _to_the_second(value) for name, value in row.items()} for row in rows]


def _to_the_second(value: Any) -> Any:
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def load_row(warehouse: Path, entry: Entry) -> Row:
    """The row of an entry that is shown as it is stored."""
    table, key = _KEYS[entry.kind]
    with reading(warehouse) as connection:
        [row] = _fetch(connection, f"FROM {table} WHERE {key} = $id", entry)
    return row

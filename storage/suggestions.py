"""Ids that a shell completes."""

from pathlib import Path

from storage.warehouse import reading

PATIENCE = 0.5
"""Seconds that a shell waits while a study writes; then nothing is suggested."""
MOST = 50


def suggest_cells(warehouse: Path, beginning: str, *, fine_tuned: bool) -> list[tuple[str, str]]:
    """Ids of cells with this beginning, the latest study's first, each described; only fine-tunes if `fine_tuned`."""
    latest = (
        "SELECT cell_id, concat_ws(', ', latest.name,"
        " CASE kind WHEN 'fine-tuned' THEN cells.model END, 'of study ' || latest.study_id,"
        " CASE WHEN cells.status <> 'finished' THEN cells.status END,"
        " CASE cell_id WHEN (SELECT champion_cell_id FROM champions ORDER BY number DESC LIMIT 1)"
        " THEN 'the champion' END)"
        " FROM cells JOIN ledger.latest_studies AS latest USING (cell_id)"
        " WHERE starts_with(cell_id, ?) AND (kind = 'fine-tuned' OR NOT ?)"
        " ORDER BY latest.number DESC, cell_id LIMIT ?"
    )
    with reading(warehouse, PATIENCE) as connection:
        rows = connection.execute(latest, [beginning, fine_tuned, MOST]).fetchall()
    return [(cell_id, description) for cell_id, description in rows]


def suggest_studies(warehouse: Path, beginning: str) -> list[tuple[str, str]]:
    """Ids of studies with this beginning, the latest first, each with its name, data, base model, status and day."""
    latest = (
        "FROM studies SELECT study_id, concat_ws(', ', coalesce(name, profile) || ' on ' || source, base_model, status,"
        " strftime(started_at, '%d %B %Y')) WHERE starts_with(study_id, ?)"
    )
    with reading(warehouse, PATIENCE) as connection:
        rows = connection.execute(f"{latest} ORDER BY number DESC LIMIT ?", [beginning, MOST]).fetchall()
    return [(study_id, description) for study_id, description in rows]


def suggest_snapshots(warehouse: Path, beginning: str) -> list[tuple[str, str]]:
    """Ids of snapshots with this beginning, the latest first, each with its size and a source."""
    latest = (
        "SELECT snapshots.snapshot_id,"
        " format('snapshot of {:,} headlines', headline_count) || coalesce(' from ' || source, '')"
        " FROM snapshots LEFT JOIN sources USING (ingest_id) WHERE starts_with(snapshots.snapshot_id, ?)"
        " ORDER BY snapshots.number DESC LIMIT ?"
    )
    with reading(warehouse, PATIENCE) as connection:
        rows = connection.execute(latest, [beginning, MOST]).fetchall()
    return [(snapshot_id, description) for snapshot_id, description in rows]

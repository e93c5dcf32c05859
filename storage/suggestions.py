"""Ids that a shell completes."""

from pathlib import Path

from storage.warehouse import reading

PATIENCE = 0.5
"""Seconds that a shell waits while a study writes; then nothing is suggested."""
MOST = 50


def suggest_cells(warehouse: Path, beginning: str, *, fine_tuned: bool) -> list[tuple[str, str]]:
    """Ids of cells with this beginning, the latest study's first, each described; only fine-tunes if asked."""
    latest = (
        "SELECT cell_id, arg_max(name, studies.number) FROM cells JOIN study_cells USING (cell_id) JOIN studies"
        " USING (study_id) WHERE starts_with(cell_id, ?) AND (kind = 'fine-tuned' OR NOT ?)"
        " GROUP BY cell_id ORDER BY max(studies.number) DESC, cell_id LIMIT ?"
    )
    with reading(warehouse, PATIENCE) as connection:
        rows = connection.execute(latest, [beginning, fine_tuned, MOST]).fetchall()
    return [(cell_id, name) for cell_id, name in rows]


def suggest_studies(warehouse: Path, beginning: str) -> list[tuple[str, str]]:
    """Ids of studies with this beginning, the latest first, each with its profile and its base model."""
    latest = "FROM studies SELECT study_id, profile || ', ' || base_model WHERE starts_with(study_id, ?)"
    with reading(warehouse, PATIENCE) as connection:
        rows = connection.execute(f"{latest} ORDER BY number DESC LIMIT ?", [beginning, MOST]).fetchall()
    return [(study_id, what) for study_id, what in rows]

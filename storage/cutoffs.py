"""Which test headlines of a study its base models may have read when they were pretrained."""

from datetime import date
from pathlib import Path

from storage.report_queries import cutoffs_query
from storage.warehouse import reading


def load_cutoffs(warehouse: Path, study_id: str) -> list[tuple[str, date, int, int]]:
    """Each base model of a study whose last day of training is known.

    Returns:
        Its name, that day, how many test headlines were published on it or before, and how many there are.
    """
    with reading(warehouse) as connection:
        rows: list[tuple[str, date, int, int]] = connection.execute(cutoffs_query(study_id)).fetchall()
    return rows

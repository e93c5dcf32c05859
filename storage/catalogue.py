"""What a warehouse holds, as lists for a person: studies, cells and champions, the latest first."""

from pathlib import Path
from typing import TYPE_CHECKING

from storage.chosen import CHOSEN, read_unjudged
from storage.judging import JUDGING
from storage.query import WholeResult
from storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

_STUDIES = f"""
{CHOSEN},
counted AS (
    SELECT
        study_id,
        count(*) FILTER (NOT places.is_of_fold) AS cells,
        count(missing_cells.cell_id) AS missing,
        list(cell_id) FILTER (cells.kind = 'fine-tuned') AS tuned
    FROM study_cells
    JOIN cells USING (cell_id)
    JOIN ledger.places AS places USING (study_id, cell_id)
    LEFT JOIN missing_cells USING (study_id, cell_id)
    GROUP BY study_id
)
SELECT
    studies.study_id AS study,
    studies.name,
    studies.status,
    leaderboard.cell_id AS best_cell,
    format('{{:.3f}}', leaderboard.accuracy)::DOUBLE AS accuracy,
    coalesce(leaderboard.is_champion, false) AS is_champion,
    counted.cells,
    counted.missing,
    date_trunc('second', studies.started_at)::TIMESTAMP_S AS started_at,
    studies.profile,
    studies.source,
    studies.base_model,
    studies.tags,
    coalesce(tuned, []) AS tuned
FROM studies
JOIN counted USING (study_id)
LEFT JOIN chosen USING (study_id)
LEFT JOIN leaderboard
    ON leaderboard.study_id = studies.study_id
    AND leaderboard.cell_id = chosen.cell_id
    AND leaderboard.temperature = chosen.temperature
    AND leaderboard.part = 'test'
ORDER BY studies.number DESC
"""  # noqa: S608 (our own text)

_CELLS = """
WITH figures AS (
    SELECT DISTINCT ON (study_id, cell_id) study_id, cell_id, accuracy, accuracy_low, accuracy_high
    FROM leaderboard
    WHERE part = 'test'
    ORDER BY study_id, cell_id, temperature
)
SELECT
    cells.cell_id AS cell,
    latest.name,
    if(drops.cell_id IS NULL, cells.status, 'dropped') AS status,
    format('{:.3f}', figures.accuracy)::DOUBLE AS accuracy,
    format('{:.3f}', accuracy_low)::DOUBLE AS accuracy_low,
    format('{:.3f}', accuracy_high)::DOUBLE AS accuracy_high,
    cells.cell_id IS NOT DISTINCT FROM (
        SELECT champion_cell_id FROM champions ORDER BY number DESC LIMIT 1
    ) AS is_champion,
    latest.study_id AS study,
    cells.kind,
    cells.model,
    date_trunc('second', cells.finished_at)::TIMESTAMP_S AS finished_at
FROM ledger.latest_studies AS latest
JOIN cells USING (cell_id)
JOIN ledger.places AS places ON places.study_id = latest.study_id AND places.cell_id = cells.cell_id
LEFT JOIN figures ON figures.study_id = latest.study_id AND figures.cell_id = cells.cell_id
LEFT JOIN ledger.drops ON drops.study_id = latest.study_id AND drops.cell_id = cells.cell_id
ORDER BY latest.number DESC, places.place
"""

_CHAMPIONS = f"""
SELECT
    champion_cell_id AS cell,
    latest.name,
    champion_temperature AS temperature,
    format('{{:.3f}}', coalesce(leaderboard.accuracy, judging.accuracy))::DOUBLE AS accuracy,
    date_trunc('second', decided_at)::TIMESTAMP_S AS since,
    lead(since) OVER (ORDER BY champions.number) AS until,
    coalesce(person, decided_by) AS decided_by,
    decision,
    champions.study_id AS study,
    reason
FROM champions
LEFT JOIN ledger.latest_studies AS latest ON latest.cell_id = champion_cell_id
LEFT JOIN leaderboard
    ON leaderboard.study_id = champions.study_id
    AND leaderboard.cell_id = champion_cell_id
    AND leaderboard.temperature = champion_temperature
    AND leaderboard.part = 'test'
LEFT JOIN ({JUDGING}) AS judging
    ON judging.cell_id = champion_cell_id AND judging.temperature = champion_temperature
WHERE decision <> 'kept'
ORDER BY champions.number DESC
"""  # noqa: S608 (our own SQL)


def list_studies(warehouse: Path) -> WholeResult:
    """Every study, with the cell that stands for it, its accuracy on test, and as `tuned` the fine-tuned cells."""
    with reading(warehouse) as connection:
        return _read(connection.execute(_STUDIES, {"unjudged": read_unjudged(connection)}))


def list_cells(warehouse: Path) -> WholeResult:
    """Every cell as its latest study has it, with its accuracy on test at the lowest temperature."""
    return _list(warehouse, _CELLS)


def list_champions(warehouse: Path) -> WholeResult:
    """Every champion there was, the present one first, with who chose it."""
    return _list(warehouse, _CHAMPIONS)


def _list(warehouse: Path, query: str) -> WholeResult:
    with reading(warehouse) as connection:
        return _read(connection.execute(query))


def _read(cursor: "duckdb.DuckDBPyConnection") -> WholeResult:
    return WholeResult(tuple(column[0] for column in cursor.description), cursor.fetchall())

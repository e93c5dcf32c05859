"""The cell that stands for a study in a list: the one that the gate judged last, else the best on validation."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

CHOSEN = """
WITH judged AS (
    SELECT study_id, cell_id, temperature, decision
    FROM champions
    WHERE decided_by = 'gate'
    QUALIFY row_number() OVER (PARTITION BY study_id ORDER BY number DESC) = 1
),
chosen AS (
    FROM judged
    UNION ALL
    SELECT study_id, cell_id, temperature, NULL
    FROM model_selection
    WHERE choice = 1 AND list_contains($unjudged, study_id)
)
"""
"""The start of a query that reads `chosen`: study_id, cell_id, temperature and decision, NULL without one.

It takes the parameter `unjudged`, from `read_unjudged`: what validation chooses is computed from single answers, which
for all studies of two years takes longer than the rest of their list.
"""


def read_unjudged(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    """The ids of the studies that the gate has not judged: those of folds, and those that are not complete."""
    rows = connection.execute(
        "SELECT study_id FROM studies ANTI JOIN (SELECT study_id FROM champions WHERE decided_by = 'gate')"
        " USING (study_id)"
    ).fetchall()
    return [study_id for (study_id,) in rows]

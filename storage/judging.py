"""Chooses the evaluation that counts where a cell was evaluated with several decodings."""

_OF_OWN_TEST = """
SELECT evaluations.*
FROM evaluations
JOIN cells ON cells.cell_id = evaluations.cell_id AND cells.split_id = evaluations.split_id
LEFT JOIN (
    SELECT
        champion_cell_id AS cell_id,
        champion_temperature AS temperature,
        arg_max(coalesce(evaluation_id, ''), number) AS evaluation_id,
        arg_max(decided_at, number) AS decided_at
    FROM champions
    WHERE decision = 'promoted'
    GROUP BY ALL
) AS promotion
    ON promotion.cell_id = evaluations.cell_id AND promotion.temperature = evaluations.temperature
WHERE evaluations.part = 'test'
QUALIFY row_number() OVER (PARTITION BY evaluations.cell_id, evaluations.temperature ORDER BY {order}) = 1
"""
LATEST = _OF_OWN_TEST.format(order="evaluated_at DESC, evaluations.evaluation_id")
"""For each cell and temperature, the latest evaluation on its own test part."""
JUDGING = _OF_OWN_TEST.format(
    order="coalesce(evaluations.evaluation_id = promotion.evaluation_id, false) DESC,"
    " coalesce(evaluated_at <= promotion.decided_at, false) DESC, evaluated_at DESC, evaluations.evaluation_id"
)
"""The same, except that a cell which was promoted at a temperature has the evaluation by which that was decided."""

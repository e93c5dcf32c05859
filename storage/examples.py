"""Queries that show an analyst the way: text only, run by whoever likes to."""


def example_queries(study_id: str, cell_id: str, temperature: float) -> list[str]:
    """Queries worth trying after a study: all figures, a cell's confusions, its losses, and the study itself."""
    confusions = (
        f"SELECT label, predicted, count(*) AS n FROM predictions WHERE cell_id = '{cell_id}' AND part = 'test' "
        f"AND temperature = {temperature:g} GROUP BY ALL ORDER BY ALL"
    )
    losses = f"SELECT step, loss, learning_rate FROM training_log WHERE cell_id = '{cell_id}' AND step % 50 = 0 ORDER BY step"
    study = f"SELECT status, started_at, finished_at FROM studies WHERE study_id = '{study_id}'"
    return ["FROM leaderboard", confusions, losses, study]


def rejected_query(ingest_id: str) -> str:
    """The query that shows the rows which an ingestion rejected."""
    return f"SELECT row_number, reason, raw FROM rejected_rows WHERE ingest_id = '{ingest_id}' ORDER BY row_number"

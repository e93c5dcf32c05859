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


def data_queries(
    ingest_id: str, snapshot_id: str, *, rejected: bool, contradictory: bool, near_copies: bool
) -> list[tuple[str, str]]:
    """Queries worth trying after an ingestion, each with what it shows: only of what there is."""
    rows, snapshot = f"WHERE ingest_id = '{ingest_id}' ORDER BY ALL", f"WHERE snapshot_id = '{snapshot_id}'"
    queries = {
        "the rejected rows": (rejected, f"SELECT source, row_number, reason, raw FROM rejected_rows {rows}"),
        "the rows that contradict each other": (
            contradictory,
            f"SELECT text, label, resolution, source, row_number FROM quarantine {rows}",
        ),
        "the near copies": (near_copies, f"SELECT headlines, kind, labels, example FROM near_copies {snapshot}"),
    }
    return [(shown, query) for shown, (is_there, query) in queries.items() if is_there]

"""Example queries for analysts, as text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.data_report import DataReport
    from storage.comparisons import Pairing


def example_queries(study_id: str, cell_id: str, temperature: float) -> list[str]:
    """Three queries worth trying after a study: its figures, a cell's confusions, and the cell against the baseline."""
    study = f"study_id = '{study_id}'"
    figures = (
        "SELECT cell_name, temperature, accuracy, accuracy_low, accuracy_high FROM leaderboard "
        f"WHERE {study} AND part = 'test' ORDER BY accuracy DESC"
    )
    confusions = (
        f"SELECT label, predicted, n, share FROM confusion WHERE {study} AND cell_id = '{cell_id}' AND part = 'test' "
        f"AND temperature = {temperature:g}"
    )
    verdict = (
        "SELECT temperature, baseline, difference, difference_low, difference_high, p_holm, beats_baseline "
        f"FROM baseline_verdicts WHERE {study} AND cell_id = '{cell_id}' ORDER BY temperature"
    )
    return [figures, confusions, verdict]


def cell_queries(study_id: str, cell_id: str, *, is_trained: bool) -> list[str]:
    """Queries worth trying on a cell: test headlines that it gets wrong and, of a fine-tuned one, how it trained."""
    wrong = (
        "SELECT DISTINCT text, predictions.label, predicted FROM predictions JOIN headlines USING (headline_id) WHERE "
        f"study_id = '{study_id}' AND cell_id = '{cell_id}' AND part = 'test' AND predicted <> predictions.label LIMIT 20"
    )
    log = f"SELECT step, epoch, loss, learning_rate FROM training_log WHERE cell_id = '{cell_id}' ORDER BY step"
    return [wrong, log] if is_trained else [wrong]


def flips_query(pairing: "Pairing", cell_id: str, other_cell_id: str, part: str) -> str:
    """The query for all headlines on which two cells differ, at every temperature that both have."""
    if pairing.study_id == pairing.other_study_id:
        return (
            "SELECT temperature, label, predicted, other_predicted, text FROM flips "
            f"WHERE study_id = '{pairing.study_id}' AND cell_id = '{cell_id}' AND other_cell_id = '{other_cell_id}' "
            f"AND part = '{part}' ORDER BY ALL"
        )
    return (
        "SELECT coalesce(a.temperature, b.temperature) AS temperature, a.label, a.predicted, b.predicted AS "
        "other_predicted, text FROM predictions AS a JOIN predictions AS b USING (headline_id, part) "
        "JOIN headlines USING (headline_id) WHERE a.predicted <> b.predicted AND coalesce(a.temperature = "
        f"b.temperature, true) AND a.study_id = '{pairing.study_id}' AND a.cell_id = '{cell_id}' "
        f"AND b.study_id = '{pairing.other_study_id}' AND b.cell_id = '{other_cell_id}' AND part = '{part}' ORDER BY ALL"
    )


def rejected_query(ingest_id: str) -> str:
    """The rows of an ingestion or a scoring that were rejected, with their reasons."""
    return f"SELECT source, row_number, reason, raw FROM rejected_rows WHERE ingest_id = '{ingest_id}' ORDER BY ALL"


def data_queries(report: "DataReport") -> list[tuple[str, str]]:
    """Queries worth trying after an ingestion, each with what it shows; queries without rows are left out."""
    rows, snapshot = (
        f"WHERE ingest_id = '{report.ingest_id}' ORDER BY ALL",
        f"WHERE snapshot_id = '{report.snapshot_id}'",
    )
    queries = {
        "the rejected rows": (report.rows_rejected, rejected_query(report.ingest_id)),
        "the rows that were left out": (
            report.rows_left_out,
            f"SELECT source, row_number, reason, raw FROM left_out_rows {rows}",
        ),
        "the rows that contradict each other": (
            report.rows_quarantined,
            f"SELECT text, label, resolution, source, row_number FROM quarantine {rows}",
        ),
        "dates, instruments and other columns": (
            report.columns.says_more,
            f"SELECT published_at, instrument, publisher, text, label, extra FROM accepted_rows {rows}",
        ),
        "the near copies": (report.copies, f"SELECT headlines, kind, labels, example FROM near_copies {snapshot}"),
    }
    return [(shown, query) for shown, (is_there, query) in queries.items() if is_there]

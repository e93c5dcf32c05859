"""The tables of scores: headlines without labels and what a cell says of them. Knows no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from schemas.scoring import Drift, ScoringCounts
from storage.warehouse import reading, utc_now, writing

PROBABILITIES = ("p_negative", "p_neutral", "p_positive", "p_unparsed")
ANSWER = ("label", *PROBABILITIES, "confidence")


@dataclass(frozen=True)
class Scorer:
    """What a score depends on beside the text."""

    cell_id: str
    temperature: float
    decoding_id: str


def start_scoring(
    warehouse: Path, scoring_id: str, source: str, location: str, scorer: Scorer, text_column: str | None = None
) -> None:
    """Record that a source is scored; the rows of an earlier run of the same scoring go, what it scored stays.

    Args:
        warehouse: The DuckDB file.
        scoring_id: The scoring.
        source: What people call the source.
        location: Where it lies.
        scorer: Who scores.
        text_column: The column of the headlines, if the source is a table.
    """
    with writing(warehouse) as connection:
        for table in ("ledger.scored_rows", "scorings"):
            connection.execute(f"DELETE FROM {table} WHERE scoring_id = ?", [scoring_id])  # noqa: S608 (our own names)
        connection.execute("DELETE FROM rejected_rows WHERE ingest_id = ?", [scoring_id])
        connection.execute(
            "INSERT INTO scorings BY NAME SELECT $scoring_id AS scoring_id, $source AS source, $location AS location,"
            " $cell_id AS cell_id, $temperature AS temperature, $decoding_id AS decoding_id, 0 AS rows_read,"
            " 0 AS rows_rejected, 0 AS headlines_scored, 0 AS headlines_known, $text AS text_column,"
            " $now AS started_at",
            {
                "scoring_id": scoring_id,
                "source": source,
                "location": location,
                "text": text_column,
                "now": utc_now(),
                **vars(scorer),
            },
        )


def load_scores(warehouse: Path, scorer: Scorer, text_ids: Sequence[str]) -> pd.DataFrame:
    """What a scorer said before of some texts: columns text_id and those of `ANSWER`, a row a text that is known."""
    with reading(warehouse) as connection:
        connection.register("wanted", pd.DataFrame({"text_id": pd.Series(text_ids, dtype="str").unique()}))
        frame: pd.DataFrame = connection.execute(
            f"SELECT text_id, {', '.join(ANSWER)} FROM ledger.scores SEMI JOIN wanted USING (text_id)"  # noqa: S608
            " WHERE cell_id = $cell_id AND temperature = $temperature AND decoding_id = $decoding_id",
            vars(scorer),
        ).df()
    return frame


def save_batch(
    warehouse: Path,
    scoring_id: str,
    scorer: Scorer,
    answers: pd.DataFrame,
    rows: pd.DataFrame,
    rejected: pd.DataFrame,
    counts: ScoringCounts,
) -> None:
    """Save a batch of a scoring in one transaction.

    Args:
        warehouse: The DuckDB file.
        scoring_id: The scoring.
        scorer: Who scored.
        answers: Columns text_id, text and those of `ANSWER`: texts that were not known before.
        rows: Columns row_number and text_id.
        rejected: Columns source, row_number, reason and raw.
        counts: Of the whole scoring so far.
    """
    with writing(warehouse) as connection:
        connection.register("answers", answers)
        connection.register("incoming", rows)
        connection.register("rejected", rejected)
        own = {"scoring_id": scoring_id}
        connection.execute(
            "INSERT OR IGNORE INTO ledger.scores BY NAME SELECT $cell_id AS cell_id, $temperature AS temperature,"
            " $decoding_id AS decoding_id, $now AS scored_at, * FROM answers",
            {**vars(scorer), "now": utc_now()},
        )
        connection.execute(
            "INSERT INTO ledger.scored_rows BY NAME SELECT $scoring_id AS scoring_id, row_number,"
            " text_id FROM incoming",
            own,
        )
        connection.execute(
            "INSERT INTO rejected_rows BY NAME SELECT $scoring_id AS ingest_id, source, row_number, reason, raw"
            " FROM rejected",
            own,
        )
        connection.execute(
            "UPDATE scorings SET rows_read = $rows_read, rows_rejected = $rows_rejected,"
            " headlines_scored = $headlines_scored, headlines_known = $headlines_known WHERE scoring_id = $scoring_id",
            {**vars(counts), **own},
        )


def finish_scoring(warehouse: Path, scoring_id: str) -> None:
    """Record that all rows of a source are scored."""
    with writing(warehouse) as connection:
        connection.execute("UPDATE scorings SET finished_at = ? WHERE scoring_id = ?", [utc_now(), scoring_id])


def load_drift(warehouse: Path, scoring_id: str) -> list[Drift]:
    """How a scoring differs from the cell's own test part, a row a measure; none where the cell has no evaluation."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            f"SELECT {', '.join(Drift._fields)} FROM score_drift WHERE scoring_id = ?",  # noqa: S608 (our own names)
            [scoring_id],
        ).fetchall()
    return [Drift(*row) for row in rows]

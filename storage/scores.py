"""The tables of scores: headlines without labels and a cell's answers to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
from duckdb import DuckDBPyConnection

from schemas.label import PROBABILITIES
from schemas.scoring import Drift, ScoringCounts
from storage.named_rows import as_row, insert_frame
from storage.warehouse import reading, utc_now, writing

_COUNTED = ("rows_read", "rows_rejected", "headlines_scored", "headlines_known")


@dataclass(frozen=True)
class Scorer:
    """What a score depends on besides the text, and the adapter that gave it."""

    cell_id: str
    temperature: float
    decoding_id: str
    adapter_hash: str | None = None
    """Hash of the adapter's files; a cell that is trained again on another machine may have another one."""

    @property
    def identity(self) -> dict[str, object]:
        """What identifies a scoring: it belongs to the cell, whichever adapter the cell has."""
        return {"cell_id": self.cell_id, "temperature": self.temperature, "decoding_id": self.decoding_id}


def start_scoring(
    warehouse: Path,
    scoring_id: str,
    source: str,
    location: str,
    scorer: Scorer,
    *,
    text_column: str | None = None,
    unparsed: Literal["label", "neutral"] = "label",
    timezone: str | None = None,
) -> None:
    """Record that a source is scored; the rows of an earlier run of the same scoring are deleted, its answers stay.

    Args:
        warehouse: The DuckDB file.
        scoring_id: The scoring.
        source: The display name of the source.
        location: Its path.
        scorer: The cell that scores.
        text_column: The column of the headlines, if the source is a table.
        unparsed: The label of an answer that is not a label.
        timezone: The zone in which dates that name none are read.
    """
    with writing(warehouse) as connection:
        for table in ("ledger.scored_rows", "scorings"):
            connection.execute(f"DELETE FROM {table} WHERE scoring_id = ?", [scoring_id])  # noqa: S608 (our own names)
        connection.execute("DELETE FROM rejected_rows WHERE ingest_id = ?", [scoring_id])
        row = {
            **scorer.identity,
            **dict.fromkeys(_COUNTED, 0),
            "scoring_id": scoring_id,
            "source": source,
            "location": location,
            "text_column": text_column,
            "unparsed": unparsed,
            "timezone": timezone,
            "started_at": utc_now(),
        }
        connection.execute(f"INSERT INTO scorings BY NAME {as_row(row)}", row)


def load_scores(warehouse: Path, scorer: Scorer, text_ids: Sequence[str]) -> pd.DataFrame:
    """A scorer's earlier answers to the known ones of some texts: text_id, is_truncated and `PROBABILITIES`.

    Answers that another adapter of the cell gave, or that an older version stored without its adapter, do not count.
    """
    with reading(warehouse) as connection:
        connection.register("wanted", pd.DataFrame({"text_id": pd.Series(text_ids, dtype="str").unique()}))
        return connection.execute(
            f"SELECT text_id, is_truncated, {', '.join(PROBABILITIES)} FROM ledger.scores"  # noqa: S608
            " SEMI JOIN wanted USING (text_id) WHERE cell_id = $cell_id AND temperature = $temperature"
            " AND decoding_id = $decoding_id AND adapter_hash = $adapter_hash",
            vars(scorer),
        ).df()


def save_answers(warehouse: Path, scorer: Scorer, answers: pd.DataFrame) -> None:
    """Save answers of a batch that is not finished, as `save_batch` takes them: its next run knows them."""
    with writing(warehouse) as connection:
        _insert_answers(connection, scorer, answers)


def _insert_answers(connection: DuckDBPyConnection, scorer: Scorer, answers: pd.DataFrame) -> None:
    connection.register("answers", answers)
    connection.execute(
        "INSERT OR REPLACE INTO ledger.scores BY NAME SELECT $cell_id AS cell_id, $temperature AS temperature,"
        " $decoding_id AS decoding_id, $adapter_hash AS adapter_hash, $now AS scored_at, * FROM answers",
        {**vars(scorer), "now": utc_now()},
    )


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
        scorer: The cell that scored.
        answers: Columns text_id, text, is_truncated and `PROBABILITIES`: texts that were not known before.
        rows: Columns row_number, text_id, published_at, instrument, true_label, in_sample and part.
        rejected: Columns source, row_number, reason and raw.
        counts: The counts of the whole scoring so far.
    """
    with writing(warehouse) as connection:
        _insert_answers(connection, scorer, answers)
        connection.register("rows", rows)
        key = {"scoring_id": scoring_id}
        connection.execute(
            "INSERT INTO ledger.scored_rows BY NAME SELECT $scoring_id AS scoring_id, *"
            " FROM rows ANTI JOIN (FROM ledger.scored_rows WHERE scoring_id = $scoring_id)"
            " USING (row_number)",
            key,
        )
        insert_frame(connection, "rejected_rows", rejected, ingest_id=scoring_id)
        connection.execute(
            "UPDATE scorings SET rows_read = $rows_read, rows_rejected = $rows_rejected,"
            " headlines_scored = $headlines_scored, headlines_known = $headlines_known WHERE scoring_id = $scoring_id",
            {**key, **{name: value for name, value in vars(counts).items() if name in _COUNTED}},
        )


def finish_scoring(warehouse: Path, scoring_id: str) -> None:
    """Record that all rows of a source are scored."""
    with writing(warehouse) as connection:
        connection.execute("UPDATE scorings SET finished_at = ? WHERE scoring_id = ?", [utc_now(), scoring_id])


def withdraw_scores(warehouse: Path, cell_id: str) -> int:
    """Delete a cell's answers that are not known to come from its adapter, and return how many.

    These are answers of another adapter, and of older versions, which did not record it. Scorings that lack answers
    then are unfinished, and scoring the source again fills them. A drop of accuracy that they showed is deleted.
    """
    current = "(SELECT adapter_hash FROM cells WHERE cell_id = $cell_id)"
    doubtful = f"cell_id = $cell_id AND NOT coalesce(adapter_hash = {current}, false)"
    values = {"cell_id": cell_id}
    with writing(warehouse) as connection:
        texts = f"SELECT text_id, temperature, decoding_id FROM ledger.scores WHERE {doubtful}"  # noqa: S608
        connection.execute(
            "UPDATE scorings SET finished_at = NULL WHERE cell_id = $cell_id AND EXISTS (FROM ledger.scored_rows"  # noqa: S608
            f" JOIN ({texts}) AS gone USING (text_id) WHERE scored_rows.scoring_id = scorings.scoring_id"
            " AND gone.temperature = scorings.temperature AND gone.decoding_id = scorings.decoding_id)",
            values,
        )
        [(withdrawn,)] = connection.execute(f"DELETE FROM ledger.scores WHERE {doubtful}", values).fetchall()  # noqa: S608
        if withdrawn:
            connection.execute("DELETE FROM accuracy_drops WHERE cell_id = $cell_id", values)
    return int(withdrawn)


def load_drift(warehouse: Path, scoring_id: str) -> list[Drift]:
    """How a scoring differs from the cell's own test part, by measure; empty if the cell has no evaluation."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            f"SELECT {', '.join(Drift._fields)} FROM score_drift WHERE scoring_id = ?",  # noqa: S608 (our own names)
            [scoring_id],
        ).fetchall()
    return [Drift(*row) for row in rows]

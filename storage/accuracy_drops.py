"""The table of drops of accuracy, and the counts that show one."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from schemas.promotion import Champion
from schemas.scoring import FreshAccuracy, FreshCounts, KnownDrop
from storage.named_rows import as_row, named_row
from storage.warehouse import reading, utc_now, writing

_FRESH = """
SELECT count(*) FILTER (is_right), count(*)
FROM ledger.scored_headlines
WHERE cell_id = $cell_id AND temperature = $temperature AND decoding_id = $decoding_id AND is_fresh
"""
_ON_TEST = """
SELECT
    count(*) FILTER (answered_label(p_negative, p_neutral, p_positive, p_unparsed, 'neutral') = headlines.label),
    count(*)
FROM evaluations
JOIN cells USING (cell_id, split_id)
JOIN ledger.predictions USING (evaluation_id)
JOIN headlines USING (headline_id)
WHERE cell_id = $cell_id AND temperature = $temperature AND decoding_id = $decoding_id AND evaluations.part = 'test'
"""
_KEY = "SELECT cell_id, temperature, decoding_id FROM scorings WHERE scoring_id = $scoring_id"


def load_fresh_counts(warehouse: Path, scoring_id: str) -> FreshCounts:
    """How often the cell of a scoring is right, by its likeliest labels, at the temperature of the scoring."""
    with reading(warehouse) as connection:
        [scorer] = connection.execute(_KEY, {"scoring_id": scoring_id}).fetchall()
        values = dict(zip(("cell_id", "temperature", "decoding_id"), scorer, strict=True))
        [fresh], [on_test] = (connection.execute(sql, values).fetchall() for sql in (_FRESH, _ON_TEST))
    return FreshCounts(*fresh, *on_test)


def load_drop(warehouse: Path, scoring_id: str) -> KnownDrop | None:
    """The drop that was found earlier for the cell of a scoring; None if there is none."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            f"SELECT found_at, n, sent_at IS NOT NULL FROM accuracy_drops SEMI JOIN ({_KEY})"  # noqa: S608
            " USING (cell_id, temperature, decoding_id)",
            {"scoring_id": scoring_id},
        ).fetchall()
    return KnownDrop(*rows[0]) if rows else None


def load_champion_drop(warehouse: Path, champion: Champion) -> dict[str, Any] | None:
    """The row of `accuracy_drops` for a champion at its temperature, the latest of several decodings; None if none."""
    with reading(warehouse) as connection:
        return named_row(
            connection.execute(
                "FROM accuracy_drops WHERE cell_id = $cell_id AND temperature = $temperature ORDER BY found_at DESC",
                champion._asdict(),
            )
        )


def save_drop(warehouse: Path, scoring_id: str, drop: FreshAccuracy) -> None:
    """Record a drop that a scoring showed, unless one of its cell is known."""
    with writing(warehouse) as connection:
        row = {**asdict(drop), "scoring_id": scoring_id, "found_at": utc_now()}
        connection.execute(f"INSERT OR IGNORE INTO accuracy_drops BY NAME {as_row(row)}, * FROM ({_KEY})", row)


def save_sent(warehouse: Path, scoring_id: str) -> None:
    """Record that a Prefect server received the event of a drop."""
    with writing(warehouse) as connection:
        connection.execute(
            f"UPDATE accuracy_drops SET sent_at = $now FROM ({_KEY}) AS own WHERE own.cell_id = accuracy_drops.cell_id"  # noqa: S608
            " AND own.temperature = accuracy_drops.temperature AND own.decoding_id = accuracy_drops.decoding_id",
            {"scoring_id": scoring_id, "now": utc_now()},
        )

"""Decisions of the past and answers of cells to headlines with dates, written into a warehouse."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from schemas.scoring import ScoringCounts
from storage.champions import Decision, load_champion, save_decision
from storage.scores import Scorer, save_batch, start_scoring
from storage.warehouse import writing

JANUARY = datetime(2026, 1, 1)  # noqa: DTZ001 (as the warehouse holds times)


def decide(warehouse: Path, decision: Any, cell_id: str, days: int, temperature: float = 0.1) -> None:
    """Save a decision that is dated this many days after the first of January."""
    record = Decision(decision, "gate", "because", "study", cell_id, temperature)
    save_decision(warehouse, record, load_champion(warehouse))
    with writing(warehouse) as connection:
        connection.execute(
            "UPDATE champions SET decided_at = ? WHERE number = (SELECT max(number) FROM champions)",
            [JANUARY + timedelta(days=days)],
        )


Row = tuple[str, float | None, str | None] | tuple[str, float | None, str | None, str]
"""A headline: text, days after the first of January, label, and the instrument that it is about, if any."""


def answer(
    warehouse: Path, cell_id: str, *rows: Row, source: str = "news", decoding: str = "top-50", p_positive: float = 0.7
) -> None:
    """Score headlines, all of them as positive."""
    scorer = Scorer(cell_id, 0.1, decoding, "hash")
    start_scoring(warehouse, f"{source} {cell_id}", source, source, scorer)
    texts = pd.DataFrame({"text": list(dict.fromkeys(text for text, *_ in rows))})
    sure = {"p_negative": 0.1, "p_neutral": 0.1, "p_positive": p_positive, "p_unparsed": 0.8 - p_positive}
    answers = texts.assign(text_id=texts["text"], is_truncated=False, **sure)
    dates = [None if days is None else JANUARY + timedelta(days=days) for _, days, *_ in rows]
    frame = pd.DataFrame({"row_number": range(1, len(rows) + 1), "text_id": [text for text, *_ in rows]}).assign(
        published_at=pd.Series(dates, dtype="datetime64[us]"),
        instrument=pd.Series([row[3] if len(row) > 3 else None for row in rows], dtype="str"),
        true_label=pd.Series([row[2] for row in rows], dtype="str"),
        in_sample=False,
        part=None,
    )
    rejected = pd.DataFrame({"source": [], "row_number": [], "reason": [], "raw": []})
    save_batch(warehouse, f"{source} {cell_id}", scorer, answers, frame, rejected, ScoringCounts())

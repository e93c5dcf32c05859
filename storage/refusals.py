"""The table of sources that were refused as a whole; the warehouse holds nothing else about them."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from duckdb import DuckDBPyConnection

from storage.named_rows import insert_frame
from storage.warehouse import utc_now, writing

MOST_ROWS = 100_000
"""The most rejected rows of a refused source that are kept."""


@dataclass(frozen=True)
class Refusal:
    """A source that was refused, and why."""

    ingest_id: str
    location: str
    message: str


def save_refusal(warehouse: Path, refusal: Refusal, rejected: pd.DataFrame) -> None:
    """Keep the first `MOST_ROWS` rejected rows of a refused source, in place of earlier ones of its place.

    Args:
        warehouse: The DuckDB file.
        refusal: The source and the reason.
        rejected: A `schemas.frames.RejectedFrame`.
    """
    with writing(warehouse) as connection:
        forget_refusal(connection, refusal.location)
        kept = rejected.iloc[:MOST_ROWS]
        insert_frame(connection, "ledger.refused_rows", kept, **vars(refusal), refused_at=utc_now())


def forget_refusal(connection: DuckDBPyConnection, location: str) -> None:
    """Delete the rows of a refused source at a place."""
    connection.execute("DELETE FROM ledger.refused_rows WHERE location = ?", [location])

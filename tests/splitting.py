"""Splits a snapshot of the home in use as a study does."""

from operations.splitting import settle_split
from schemas.plan import IngestedSource
from schemas.split import SplitSettings
from storage.home import Home
from storage.snapshots import load_snapshot


def divide(ingested: IngestedSource, split: SplitSettings, near_duplicates: str) -> str:
    """Split what was ingested, and return the split's id."""
    snapshot = ingested.snapshot_id
    headlines = load_snapshot(Home.from_environment().warehouse, snapshot)
    return settle_split(snapshot, headlines, split, near_duplicates)

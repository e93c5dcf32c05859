"""A home as an earlier fintone left it, made from the files beside this one; README.md says where they are from."""

import shutil
from pathlib import Path

import duckdb
import pytest

from storage import migrations
from storage.home import Home
from storage.warehouse import prepare_warehouse

FOLDER = Path(__file__).parent
MIGRATION = 19
"""The newest that the code of that day knew."""
VIEWS = ("macros", "views", "data_views", "metric_views", "comparison_views", "score_views")
"""Its views, in the order in which it defined them."""
LEADERBOARD = (FOLDER / "leaderboard.csv").read_text(encoding="utf-8")
"""What `fintone sql --format csv` of that day printed, by cell, part and temperature."""
LEADERBOARD_QUERY = f"SELECT {LEADERBOARD.splitlines()[0]} FROM leaderboard ORDER BY cell_id, part, temperature"
SETTINGS = (
    f"data.source={FOLDER / 'headlines.csv'}",
    "data.duplicates=merge",
    "split.method=hashed",
    "split.train_per_class=8",
    "split.test_per_class=4",
    "split.validation_per_class=4",
    "baselines.names=majority class,finance lexicon",
    "lora.r=1",
    "training.batch_size=2",
    "training.precision=float32",
    "grid.learning_rates=3e-3",
    "grid.epochs=1,2",
    "decoding.temperatures=0.1,1",
    "promotion.min_accuracy=0",
    "promotion.beat_baseline=false",
    "promotion.max_unparsed_rate=1",
)
"""What the profile `demo` was run with."""
STUDY = "8876e4d20c35"
CHAMPION, OTHER = "08bbe32eb8ac", "04d5346081d5"
"""The cells of two epochs and of one, which share a training."""
PREDICTIONS = """
    SELECT text, p_negative, p_neutral, p_positive, p_unparsed FROM ledger.predictions
    JOIN evaluations USING (evaluation_id) JOIN headlines USING (headline_id)
    WHERE cell_id = '{}' AND part = 'test' AND temperature = 1 ORDER BY headline_id
"""
"""Of a cell."""


def restore(folder: Path, work: Path) -> Home:
    """Make the home in a new folder: warehouse, adapters, and nothing that a run makes again.

    Args:
        folder: Where the home is to be.
        work: A folder for files that are needed on the way.
    """
    home = Home(folder)
    shutil.copytree(FOLDER / "adapters", home.adapters)
    earlier_ones = work / "migrations"
    earlier_ones.mkdir()
    for file in migrations.MIGRATIONS_FOLDER.glob("*.sql"):
        if int(file.name[:4]) <= MIGRATION:
            shutil.copy(file, earlier_ones)
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(migrations, "MIGRATIONS_FOLDER", earlier_ones)
        earlier.setattr(migrations, "VIEWS_FILES", [FOLDER / "views" / f"{name}.sql" for name in VIEWS])
        prepare_warehouse(home.warehouse)
    with duckdb.connect(home.warehouse) as connection:
        for table in (FOLDER / "tables").iterdir():
            connection.execute(f"COPY {table.stem} FROM '{table}' (HEADER, ALLOW_QUOTED_NULLS false)")
    return home

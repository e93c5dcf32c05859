"""What commands take in a home of two years: `python -m benchmarks.weeks`, on a machine that does nothing else.

The demo runs once, and its champion scores 1,000 headlines with dates and labels. In a copy of this home, the
warehouse holds the study and the scoring once for each week, with ids and times of their own. Each command is a whole
process, timed in both homes.
"""

import csv
import shutil
import statistics
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.arguments import parse_nothing
from benchmarks.commands import run_command
from benchmarks.machine import write_results
from embedded.grammar import generate_headline
from storage.warehouse import writing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WEEKS, HEADLINES, REPEATS = 104, 1_000, 3
STUDY_TABLES = (
    "main.sources", "main.snapshots", "main.snapshot_headlines", "main.source_visits", "ledger.accepted_rows",
    "main.splits", "main.split_settings", "main.cells", "main.studies", "main.study_cells", "main.evaluations",
    "ledger.predictions", "ledger.draws", "ledger.temperature_curves", "ledger.comparisons", "main.training_log",
    "main.champions",
)  # fmt: skip
SCORING_TABLES = ("main.scorings", "ledger.scores", "ledger.scored_rows")
TEXTS = {("text_id", "ledger.scores"), ("text_id", "ledger.scored_rows"), ("sha256", "main.sources")}
"""Columns besides ids that differ: each week scores other headlines, and its source has other bytes."""


def main() -> None:
    """Make both homes, time each command in both, print a table and write the results."""
    parse_nothing(__doc__)
    figures: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        homes = {1: Path(folder) / "a week", WEEKS: Path(folder) / "two years"}
        run_command(["run"], homes[1])
        scored = ["--evaluate", "--output", f"{folder}/answers.csv"]
        run_command(["score", write_news(Path(folder) / "news.csv"), *scored], homes[1])
        shutil.copytree(homes[1], homes[WEEKS])
        study, best, other = repeat_weeks(homes[WEEKS] / "warehouse.duckdb")
        for name, arguments in list_commands(study, best, other):
            for weeks, home in homes.items():
                seconds = statistics.median(run_command(arguments, home)[0] for _ in range(REPEATS))
                figures[f"{name}, {weeks}, s"] = seconds
                print(f"{name:55} {weeks:5} weeks {seconds:8.2f} s")
        for weeks, home in homes.items():
            figures[f"warehouse, {weeks}, MB"] = (home / "warehouse.duckdb").stat().st_size / 1e6
    write_results("weeks", figures, {})


def list_commands(study: str, best: str, other: str) -> Iterator[tuple[str, list[str]]]:
    """Commands with a name for each; those about one study ask for the same one in both homes."""
    yield "fintone list studies", ["list", "studies"]
    yield "fintone list cells", ["list", "cells"]
    yield "fintone show CELL", ["show", best]
    yield "fintone compare CELL OTHER", ["compare", best, other]
    yield "fintone sql FROM leaderboard WHERE study_id = ...", ["sql", f"FROM leaderboard WHERE study_id = '{study}'"]
    yield "fintone report", ["report", "--study", study]
    yield "fintone run", ["run"]


def write_news(place: Path) -> str:
    """Write a week of headlines with dates and labels, and return the path."""
    random, day = Random(3), date(2026, 1, 5)
    with place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("headline", "label", "date"))
        for number in range(HEADLINES):
            row = generate_headline(random)
            writer.writerow((row.text, row.sentiment, day + timedelta(days=number % 5)))
    return str(place)


def repeat_weeks(warehouse: Path) -> tuple[str, str, str]:
    """Repeat the study and the scoring of a warehouse for each further week.

    Returns:
        The study, the cell that was promoted, and another cell.
    """
    with writing(warehouse) as connection:
        [found] = connection.execute(
            "SELECT study_id, champions.cell_id, min(study_cells.cell_id) FROM champions"
            " JOIN study_cells USING (study_id) WHERE study_cells.cell_id <> champions.cell_id GROUP BY ALL"
        ).fetchall()
        connection.execute("CREATE TEMP TABLE weeks AS SELECT range AS week FROM range(1, ?)", [WEEKS])
        for table in (*STUDY_TABLES, *SCORING_TABLES):
            values = ", ".join(_change(connection, table))
            connection.execute(f"INSERT INTO {table} SELECT {values} FROM {table}, weeks")  # noqa: S608 (own names)
    study, best, other = map(str, found)
    return study, best, other


def _change(connection: "DuckDBPyConnection", table: str) -> Iterator[str]:
    """Each column of a table as it is in another week: ids, numbers and times differ."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name || '.' || table_name = ?"
        " ORDER BY column_index",
        [table],
    ).fetchall()
    for name, kind in columns:
        is_shared = name in {"headline_id", "text_id", "decoding_id"}
        is_of_scorer = name == "cell_id" and table in SCORING_TABLES  # one model scores every week
        if (name.endswith("_id") and not is_shared and not is_of_scorer) or (name, table) in TEXTS:
            yield f"substr(md5({name} || week), 1, length({name}))"
        elif name == "number":
            yield "number + week"
        elif kind == "TIMESTAMP":
            yield f"{name} + to_days((7 * week)::INTEGER)"
        else:
            yield f'"{name}"'


if __name__ == "__main__":
    main()

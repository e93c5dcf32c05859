"""A study of seconds on generated headlines, run by the flow, for the tests of a module."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from embedded.grammar import generate_headline
from flows.retrain import retrain
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from storage.query import query


class Study(NamedTuple):
    """A finished study."""

    home: Path
    config: StudyConfig
    study_id: str

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """What the warehouse says."""
        return query(self.home / "warehouse.duckdb", sql).rows


@contextmanager
def run_small_study(
    folder: Path, assignments: Sequence[str], headlines: int = 120, *, context: bool = False
) -> Iterator[Study]:
    """Run the demo without its grid, with these settings, in a home of its own, which is FINTONE_HOME in the block.

    Args:
        folder: An empty folder, for the headlines and the home.
        assignments: Settings, as `--set` takes them.
        headlines: How many headlines are generated.
        context: Whether each has a column `background` of text.
    """
    random, source = Random(5), folder / "headlines.csv"
    rows = [generate_headline(random) for _ in range(headlines)]
    with source.open("w", newline="", encoding="utf-8") as file:
        names = ("text", "label", *(["background"] if context else []))
        told = ([f"Told on day {number}"] if context else [] for number in range(headlines))
        csv.writer(file).writerows([names, *((row.text, row.sentiment, *next(told)) for row in rows)])
    values = {**load_profile("demo"), "grid": {}}
    config = build_config(apply_overrides(values, [f"data.source={source}", *assignments]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(folder / "home"))
        yield Study(folder / "home", config, retrain(config))

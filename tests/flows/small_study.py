"""A study of seconds on generated headlines, run by the flow, for the tests of a module."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from embedded.grammar import generate_headline
from flows.retrain import retrain
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from tests.asking import ask


class Study(NamedTuple):
    """A finished study."""

    home: Path
    config: StudyConfig
    study_id: str

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """What the warehouse says."""
        return ask(self.home, sql)


@contextmanager
def run_small_study(
    folder: Path,
    assignments: Sequence[str],
    headlines: int = 120,
    more: Mapping[str, Callable[[int], str]] = MappingProxyType({}),
) -> Iterator[Study]:
    """Run the demo without its grid, with these settings, in a home of its own, which is FINTONE_HOME in the block.

    Args:
        folder: An empty folder, for the headlines and the home.
        assignments: Settings, as `--set` takes them.
        headlines: How many headlines are generated.
        more: Other columns, by their names: the cell of each row by its number from 0.
    """
    random, source = Random(5), folder / "headlines.csv"
    rows = [generate_headline(random) for _ in range(headlines)]
    with source.open("w", newline="", encoding="utf-8") as file:
        cells = ([cell(number) for cell in more.values()] for number in range(headlines))
        written = ((row.text, row.sentiment, *next(cells)) for row in rows)
        csv.writer(file).writerows([("text", "label", *more), *written])
    values = {**load_profile("demo"), "grid": {}}
    config = build_config(apply_overrides(values, [f"data.source={source}", *assignments]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(folder / "home"))
        yield Study(folder / "home", config, retrain(config))

"""A hundred thousand headlines through `fintone score`: each is answered, and memory hardly grows with their number."""

import os
import shutil
from pathlib import Path
from random import Random

import psutil
import pytest

from benchmarks.processes import Run
from embedded.grammar import generate_headline
from schemas.plan import StudyPlan
from tests.asking import ask

FEW, MANY = 5_000, 100_000
MOST_GROWTH = 150_000_000
"""Bytes, a tenth of what the command holds with few headlines; the file has 13 MB, part of which DuckDB keeps."""
PAUSE = 0.1
"""Seconds between two looks at the memory."""


def score(home: Path, source: Path, cell: str) -> int:
    """Score a source, and return the most bytes that all processes of the command held together."""
    arguments = ["score", str(source), "--output", f"{source}.parquet", "--model", cell]
    run = Run(arguments, {**os.environ, "FINTONE_HOME": str(home)})
    most = 0
    while not run.is_over_in(PAUSE):
        held = 0
        for process in run.find_processes().values():
            try:
                held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        most = max(most, held)
    assert run.end() == 0, run.lines
    assert run.bury() == []
    return most


@pytest.mark.soak
def test_memory_is_bounded(tmp_path: Path, trained: tuple[Path, str, StudyPlan]) -> None:
    home = Path(shutil.copytree(trained[0], tmp_path / "home"))
    random = Random(8)
    peaks = []
    for number in (FEW, MANY):
        source = tmp_path / f"{number}.csv"
        rows = (f'{row},"{generate_headline(random).text} {row} of {number}"' for row in range(number))
        source.write_text("\n".join(["id,title", *rows]) + "\n")
        peaks.append(score(home, source, trained[1]))
        answered = f"SELECT count(*), count(DISTINCT text) FROM scores WHERE source = '{source.name}'"
        assert ask(home, answered) == [(number, number)]
    assert peaks[1] < peaks[0] + MOST_GROWTH

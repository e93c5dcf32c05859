"""Commands that overlap in one home, and the state in which they leave it: `python -m benchmarks.together`.

Pairs of real processes, each pair at the same time in one home, run studies that share cells, export to one place,
promote, and score one source. A pair is sound if a command fails only because it came second, nothing is left `running`
or `failed`, no row is duplicated and no unfinished file is left.
"""

import argparse
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.arguments import positive
from benchmarks.kills import write_headlines
from benchmarks.machine import FINTONE, write_results
from storage.query import query

PAIRS = 20
SECONDS_OF_A_COMMAND = 600.0
SETTINGS = (
    "split.method=hashed",
    "split.train_per_class=8",
    "split.test_per_class=8",
    "split.validation_per_class=3",
    "lora.r=2",
    "grid.learning_rates=1e-2",
    "grid.curve_epochs=",
    "decoding.draws=2",
    "promotion.min_accuracy=0",
    "promotion.max_unparsed_rate=1",
    "promotion.beat_baseline=false",
)
CAME_SECOND = ("is there already; give a new folder", "became it in the meantime", "it is the champion already")
"""The errors that a command may end with because the other came first."""

SOUND = {
    "studies that are not finished": "SELECT study_id FROM studies WHERE status <> 'finished'",
    "cells that are not finished": "SELECT cell_id FROM cells WHERE status <> 'finished' AND status <> 'planned'",
    "cells without evaluations": "SELECT cell_id FROM missing_cells",
    "predictions that are there twice": (
        "SELECT study_id FROM predictions GROUP BY study_id, cell_id, part, temperature, headline_id"
        " HAVING count(*) > 1"
    ),
    "draws that are there twice": "SELECT draw FROM ledger.draws GROUP BY evaluation_id, draw HAVING count(*) > 1",
    "steps that are there twice": "SELECT step FROM training_log GROUP BY cell_id, step HAVING count(*) > 1",
    "rows that were scored twice": (
        "SELECT row_number FROM ledger.scored_rows GROUP BY scoring_id, row_number HAVING count(*) > 1"
    ),
    "scorings without an end": "SELECT scoring_id FROM scorings WHERE finished_at IS NULL",
    "visits that are there twice": (
        "SELECT location FROM (SELECT *, lag(ingest_id) OVER (PARTITION BY location ORDER BY met_at) AS before"
        " FROM source_visits) WHERE before = ingest_id"
    ),
    "judgements that are there twice": (
        "SELECT study_id FROM champions WHERE decided_by = 'gate' GROUP BY study_id HAVING count(*) > 1"
    ),
}


@dataclass(frozen=True)
class Crew:
    """The commands that run in one home."""

    home: Path
    headlines: Path
    environment: dict[str, str]

    def study(self, epochs: str) -> list[str]:
        """The command that runs the study with these numbers of epochs."""
        settings = (*SETTINGS, f"grid.epochs={epochs}")
        return ["run", "--data", str(self.headlines), *(f"--set={setting}" for setting in settings)]

    def champion(self) -> str:
        """The id of the champion."""
        latest = "SELECT champion_cell_id FROM champions ORDER BY decided_at DESC LIMIT 1"
        return str(query(self.home / "warehouse.duckdb", latest).rows[0][0])

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(  # noqa: S603 (our own command)
            [str(FINTONE), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        """Run a command; returns its exit code, standard error and standard output."""
        process = self.start(arguments)
        out, err = process.communicate(timeout=SECONDS_OF_A_COMMAND)
        return process.returncode, err, out

    def run_together(self, commands: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
        """Start commands at the same time and wait for all; returns the exit code and standard error of each."""
        started = [self.start(command) for command in commands]
        errors = [process.communicate(timeout=SECONDS_OF_A_COMMAND)[1] for process in started]
        return [(process.returncode, err) for process, err in zip(started, errors, strict=True)]

    def wait_for(self, process: subprocess.Popen[str], pattern: str) -> None:
        """Wait until a command prints a line to standard error that matches a pattern."""
        assert process.stderr
        for line in process.stderr:
            if re.search(pattern, line):
                return


def prepare_home(folder: Path) -> Crew:
    """Choose a home, which fintone will create, and write a source for the commands."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"},
        "FINTONE_HOME": str(folder / "home"),
        "PREFECT_HOME": str(folder / "prefect"),
    }
    return Crew(folder / "home", write_headlines(folder / "headlines.csv"), environment)


def check_home(home: Path) -> list[str]:
    """The faults of a home, one line each."""
    found = []
    for fault, sql in SOUND.items():
        rows = query(home / "warehouse.duckdb", sql).rows
        found += [f"{len(rows)} {fault}, as {rows[0]}"] if rows else []
    left = [str(path) for path in home.rglob("*") if path.name.endswith((".unfinished", ".lock"))]
    return [*found, *(f"{path} is left" for path in left)]


def overlap(folder: Path, pairs: int) -> tuple[Counter[str], list[str]]:
    """Run pairs of every kind; returns how many of each were sound, and the faults of the others."""
    sound: Counter[str] = Counter()
    faults: list[str] = []
    for number in range(pairs):
        crew = prepare_home(folder / f"home-{number}")
        for kind in ("runs", "exports", "promotions", "scorings"):
            ended = crew.run_together(_make_pair(crew, kind, number))
            unsound = [err.splitlines()[-1] for code, err in ended if code and not _came_second(err)]
            both_failed = all(code for code, _ in ended) and kind != "promotions"  # a lone cell is champion already
            unsound += ["both failed"] if both_failed else []
            unsound += check_home(crew.home)
            sound[kind] += not unsound
            faults += [f"pair {number}, {kind}: {fault}" for fault in unsound]
        print(f"pair {number}: {dict(sound)} sound", *faults[-3:], sep="\n  ", flush=True)
    return sound, faults


def _make_pair(crew: Crew, kind: str, number: int) -> list[list[str]]:
    if kind == "runs":  # every other pair is of one study, the others are of two that share cells
        return [crew.study("1"), crew.study("1" if number % 2 else "1,2")]
    if kind == "exports":
        return [["export", crew.champion(), "--output", str(crew.home.parent / "model")]] * 2
    if kind == "promotions":
        tuned = "SELECT cell_id FROM cells WHERE kind = 'fine-tuned' ORDER BY cell_id"
        cells = [str(cell) for (cell,) in query(crew.home / "warehouse.duckdb", tuned).rows]
        return [["promote", cell, "--reason", "soak", "--yes"] for cell in (cells[0], cells[-1])]
    return [["score", str(crew.headlines), "--model", crew.champion()]] * 2


def _came_second(message: str) -> bool:
    return any(words in message for words in CAME_SECOND)


def main() -> None:
    """Run the pairs and print a line for each; write the figures if `--pairs` is the default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=positive, default=PAIRS)
    options = parser.parse_args()
    start = time.monotonic()
    with TemporaryDirectory() as name:
        sound, faults = overlap(Path(name), options.pairs)
    figures = {"pairs of each kind": float(options.pairs), **{f"sound pairs of {kind}": sound[kind] for kind in sound}}
    print(", ".join(f"{name} {number:g}" for name, number in figures.items()), f"in {time.monotonic() - start:.0f} s")
    if options.pairs == PAIRS:
        write_results("together", figures, {})
    if faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""`kill -9` at random moments, and whether the same command completes the study: `python -m benchmarks.kills`.

A small study is run undisturbed once. Then it is run in one fresh home after the other, and killed at random moments:
during its start, its ingestion, a training, a scoring, a comparison or the judgement. The victim is the flow's process,
the process that trains or the Prefect server; half of the homes use a temporary server, half share a real one, which is
started again. The same command is called until it succeeds. Then every table, every adapter and every file must be as
in the undisturbed run, nothing that was finished before a kill may have been done again, and no process may have
outlived its run.
"""

import argparse
import csv
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.arguments import learning_parser, positive
from benchmarks.machine import write_results
from benchmarks.processes import PrefectServer, Run
from embedded.grammar import generate_headline
from schemas.errors import InputError
from storage.query import query

KILLS = 100
KILLS_A_HOME = 3
"""The most kills in one home; after them the study runs undisturbed."""
RUNS_A_HOME = 12
SHARES = {"flow": 2, "server": 1, "worker": 2}
"""How often each process is the victim, relative to the others that are alive at the moment."""
HEADLINES = 200

STUDY = (
    "split.method=hashed",
    "split.train_per_class=16",
    "split.test_per_class=10",
    "split.validation_per_class=5",
    "lora.r=4",
    "grid.learning_rates=1e-3,1e-2",
    "grid.epochs=1,2",
    "grid.curve_epochs=1,3",
    "training.checkpoint_steps=4",
    "decoding.draws=2",
    "promotion.min_accuracy=0",
    "promotion.max_unparsed_rate=1",
    "promotion.beat_baseline=false",
)
"""Settings of a study that takes seconds and has everything: cells that share their training, a curve, a champion."""

RECORDS = {
    "leaderboard": "SELECT * EXCLUDE (finished_at) FROM leaderboard",
    "predictions": "FROM predictions",
    "training_log": "SELECT * EXCLUDE (examples_per_second, logged_at) FROM training_log",
    "champions": "SELECT * EXCLUDE (champion_id, decided_at) FROM champions",
    "comparisons": "FROM comparisons",
    "draws": "FROM draws",
    "evaluations": "SELECT * EXCLUDE (seconds, headlines_per_second, evaluated_at) FROM evaluations",
    "cells": "SELECT cell_id, kind, model, learning_rate, epochs, seed, status, reason, steps FROM cells",
    "studies": "SELECT study_id, status FROM studies",
    "study_cells": "FROM study_cells",
    "sources": "SELECT * EXCLUDE (ingested_at) FROM sources",
    "headlines": "FROM headlines",
    "rejected_rows": "FROM rejected_rows",
    "splits": "FROM splits",
}
"""Everything that a study leaves in the warehouse, except times and durations."""

FINISHED = (
    "SELECT cell_id AS id, concat_ws(' ', started_at, finished_at, first_step, steps) AS done FROM cells"
    " WHERE status IN ('finished', 'diverged')"
    " UNION ALL SELECT evaluation_id, evaluated_at::VARCHAR FROM evaluations"
    " UNION ALL SELECT champion_id, decided_at::VARCHAR FROM champions"
)
"""The id of everything that is finished, with values that would change if it were done again."""


@dataclass(frozen=True)
class Study:
    """The command, and the results that it leaves in an undisturbed home."""

    arguments: list[str]
    lines: list[tuple[float, str]]
    """The lines that it prints to standard error, with the seconds since its start."""
    record: dict[str, Counter[str]]
    files: list[str]


@dataclass
class Tally:
    """The outcome of the kills."""

    victims: Counter[str] = field(default_factory=Counter)
    moments: list[str] = field(default_factory=list)
    """The last line of the command before each kill."""
    homes: int = 0
    repeats: int = 0
    """How often the same command was called again."""
    failures: int = 0
    """Runs that ended with an error although their own process was not killed."""
    mismatches: list[str] = field(default_factory=list)

    def note(self, mismatch: str) -> None:
        """Keep and print something that is not as it should be."""
        self.mismatches.append(f"home {self.homes}: {mismatch}")
        print(self.mismatches[-1], flush=True)

    @property
    def kills(self) -> int:
        """The number of kills so far."""
        return self.victims.total()


class Place:
    """A home for one study, and the Prefect server that it uses; None for a temporary one."""

    def __init__(self, folder: Path, server: PrefectServer | None) -> None:
        """Choose the names of its folders; fintone creates the home."""
        self.home, self.server, self.scratch = folder / "home", server, folder / "scratch"
        self.scratch.mkdir(parents=True)
        self._environment: dict[str, str | None] = {
            "FINTONE_HOME": str(self.home),
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": server.url if server else None,
            "TMPDIR": str(self.scratch),
        }

    @property
    def environ(self) -> dict[str, str]:
        """The whole environment of a command in this home."""
        changed = {**os.environ, **self._environment}
        return {name: value for name, value in changed.items() if value is not None}

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """A query on the warehouse."""
        return query(self.home / "warehouse.duckdb", sql).rows

    def load_finished(self) -> dict[str, str]:
        """Everything that is finished; empty if there is no readable warehouse yet."""
        try:
            return dict(self.ask(FINISHED))
        except InputError:
            return {}

    def read_record(self) -> dict[str, Counter[str]]:
        """The rows of every table, and the hash of every adapter."""
        record = {name: Counter(map(repr, self.ask(sql))) for name, sql in RECORDS.items()}
        weights = sorted((self.home / "adapters").glob("*/*.safetensors"))
        hashed = (f"{path.parent.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in weights)
        return {**record, "adapters": Counter(hashed)}

    def list_files(self) -> list[str]:
        """Every file and folder of the home and of the folder for temporary files."""
        paths = (path.relative_to(root) for root in (self.home, self.scratch) for path in root.rglob("*"))
        return sorted(map(str, paths))


def prepare_study(folder: Path, data: str | None, model: Path | None) -> Study:
    """Run the study undisturbed."""
    source = data or str(write_headlines(folder / "headlines.csv"))
    arguments = ["run", "--data", source, *(f"--set={setting}" for setting in STUDY)]
    if model:
        arguments += ["--base-model", str(model)]
    place = Place(folder / "undisturbed", None)
    run = Run(arguments, place.environ)
    if run.end():
        raise RuntimeError(f"the undisturbed run failed: {run.lines[-1][1]}")
    run.bury()
    return Study(arguments, run.lines, place.read_record(), place.list_files())


def disturb(study: Study, folder: Path, kills: int, random: Random, server: PrefectServer) -> Tally:
    """Kill processes `kills` times, in one home after the other."""
    tally = Tally()
    while tally.kills < kills:
        place = Place(folder / f"home-{tally.homes}", server if tally.homes % 2 else None)
        tally.homes += 1
        _complete(study, place, tally, min(KILLS_A_HOME, kills - tally.kills), random)
        for difference in _compare(study, place):
            tally.note(difference)
    return tally


def _complete(study: Study, place: Place, tally: Tally, most_kills: int, random: Random) -> None:
    """Call the command until it succeeds, with at most `most_kills` kills on the way."""
    finished: dict[str, str] = {}
    last = tally.kills + most_kills
    for number in range(RUNS_A_HOME):
        tally.repeats += number > 0
        run = Run(study.arguments, place.environ)
        victim = _kill_one(study, run, place, tally, random) if tally.kills < last else None
        code = run.end()
        for role in run.bury():
            tally.note(f"the {role} outlived its run")
        present = place.load_finished()
        for identifier in (key for key, done in finished.items() if present.get(key) != done):
            tally.note(f"{identifier} was finished and done again")
        finished = present
        if code == 0:
            return
        if victim != "flow":
            tally.failures += 1
            print(f"home {tally.homes}: after the {victim} died, exit code {code}: {run.lines[-1][1]}", flush=True)
    tally.note(f"not complete after {RUNS_A_HOME} runs: {run.lines[-1][1]}")


def _kill_one(study: Study, run: Run, place: Place, tally: Tally, random: Random) -> str | None:
    """Kill one of the run's processes at a random moment and return its role; None if the run ends before.

    The moment is between a random line of the undisturbed run and the line after it, so short phases are hit as often
    as long ones.
    """
    times = [0.0, *(seconds for seconds, _ in study.lines)]
    number = random.randrange(len(times))
    gap = times[number + 1] - times[number] if number + 1 < len(times) else times[-1] - times[-2]
    choice, moment = random.random(), random.random() * gap
    if not run.wait_for_line(number) or run.is_over_in(moment):
        return None
    living = run.find_processes()
    present = {*living, "server"} if place.server else {*living}
    lots = [role for role, share in SHARES.items() if role in present for _ in range(share)]
    victim = lots[int(choice * len(lots))]
    if victim == "server" and place.server:
        place.server.kill()
        place.server.start()
    else:
        living[victim].kill()
    line = run.lines[number - 1][1] if number else "its start"
    tally.victims[victim] += 1
    tally.moments.append(line)
    print(f"kill {tally.kills}: home {tally.homes}, the {victim} {moment:.2f} s after {line!r}", flush=True)
    return victim


def _compare(study: Study, place: Place) -> Iterator[str]:
    """The differences between a home and the undisturbed one."""
    record = place.read_record()
    for name, rows in study.record.items():
        lost, gained = rows - record[name], record[name] - rows
        if lost or gained:
            yield f"{name}: {lost.total()} rows lost, {gained.total()} doubled or new, as {next(iter(lost | gained))}"
    files = place.list_files()
    if files != study.files:
        yield f"files: {sorted(set(files) ^ set(study.files))}"


def _name_moment(line: str) -> str:
    """A line of a run without its time of day, its figures and its paths."""
    return re.split(r",|: /", line.rpartition("  ")[2])[0]


def write_headlines(path: Path) -> Path:
    """Write a small source of labelled headlines; its content is always the same."""
    random = Random(5)
    rows = [generate_headline(random) for _ in range(HEADLINES)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *((row.text, row.sentiment) for row in rows)])
    return path


@contextmanager
def shared_server(folder: Path) -> Iterator[PrefectServer]:
    """A Prefect server for the block; it is killed at the end."""
    server = PrefectServer(folder)
    try:
        yield server
    finally:
        server.kill()


def main() -> None:
    """Kill, print a line for each kill and a summary; write the results if `--kills` is the default."""
    parser = learning_parser(__doc__)
    parser.set_defaults(data=None)
    parser.add_argument("--kills", type=positive, default=KILLS)
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments and the victims")
    options: argparse.Namespace = parser.parse_args()
    with TemporaryDirectory() as name, shared_server(Path(name) / "server") as server:
        folder = Path(name)
        study = prepare_study(folder, options.data, options.model)
        tally = disturb(study, folder, options.kills, Random(options.seed), server)
    by_victim = {f"kills of the {victim}": float(number) for victim, number in sorted(tally.victims.items())}
    figures = {"kills": tally.kills, **by_victim, "homes": tally.homes, "repeats": tally.repeats}
    figures |= {"runs that failed with their server or worker": tally.failures, "mismatches": len(tally.mismatches)}
    print(", ".join(f"{name} {number:g}" for name, number in figures.items()))
    if options.kills == KILLS:
        moments = dict(Counter(_name_moment(moment) for moment in tally.moments))
        write_results("kills", figures, {}, moments=moments)
    if tally.mismatches:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""Analysts who poll the warehouse while a study writes it: `python -m benchmarks.readers [--pause SECONDS]`.

Eight processes query the leaderboard while a study of twelve cells runs in another: two call `fintone sql`, two
`storage.query.query`, and four DuckDB itself, which try again while a writer has the file. No reader may fail. The
latency is measured from the query to the answer, or to the message to try again later.
"""

import argparse
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from benchmarks.kills import Place, write_headlines
from benchmarks.machine import write_results
from benchmarks.processes import Run

PAUSE = 1.0
"""Seconds between an answer and the next query."""

STUDY = (
    "split.method=hashed",
    "split.train_per_class=16",
    "split.test_per_class=10",
    "split.validation_per_class=5",
    "lora.r=4",
    "grid.learning_rates=1e-4,1e-3,1e-2",
    "grid.epochs=1,2",
    "grid.seeds=1,2",
)
LOOP = """
import subprocess, sys, threading, time
from pathlib import Path
path, pause = Path(sys.argv[1]), float(sys.argv[2])
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
sql = "SELECT kind, count(*), avg(accuracy) FROM leaderboard GROUP BY ALL"
def poll(read):
    while not over.wait(pause):
        start = time.monotonic()
        outcome = read()
        print(time.monotonic() - start, outcome, flush=True)
"""
READERS = {
    "fintone sql": """
def read():
    done = subprocess.run([Path(sys.executable).with_name("fintone"), "sql", sql], capture_output=True, text=True)
    if done.returncode:
        assert (done.returncode, done.stdout, done.stderr.count("\\n")) == (1, "", 1), done.stderr
        assert "; try again later" in done.stderr, done.stderr
    return "locked" if done.returncode else "answered"
poll(read)
""",
    "storage.query": """
from storage.query import query
from storage.opening import WarehouseLockedError
def read():
    try:
        query(path, sql)
    except WarehouseLockedError:
        return "locked"
    return "answered"
poll(read)
""",
    "duckdb": """
import duckdb
def read():
    while True:
        try:
            with duckdb.connect(path, read_only=True) as connection:
                connection.execute(sql).fetchall()
                return "answered"
        except duckdb.IOException as error:
            assert "Could not set lock" in str(error), error
            time.sleep(0.05)
poll(read)
""",
}
"""The script of each kind of reader; it prints a line for each poll: the seconds and the outcome."""
OF_EACH = {"fintone sql": 2, "storage.query": 2, "duckdb": 4}


@dataclass(frozen=True)
class Latencies:
    """How long the readers of a kind waited, in seconds, ascending; how many polls found the warehouse locked."""

    seconds: list[float]
    locked: int

    def summarise(self) -> dict[str, float]:
        """Figures of the distribution."""
        cuts = quantiles(self.seconds, n=20)
        figures = {"median s": cuts[9], "95th percentile s": cuts[18], "longest s": self.seconds[-1]}
        return {"polls": len(self.seconds), "told to try again": self.locked, **figures}


@dataclass(frozen=True)
class Crowd:
    """The outcome of a study with readers."""

    latencies: dict[str, Latencies]
    errors: list[str]
    """The messages of readers or of the study that failed."""
    seconds: float
    """How long the study took."""


def run_crowded(folder: Path, pause: float) -> Crowd:
    """Run the study with all readers, which begin when the warehouse exists."""
    place = Place(folder, None)
    source = write_headlines(folder / "headlines.csv")
    start = time.monotonic()
    run = Run(["run", "--data", str(source), *(f"--set={setting}" for setting in STUDY)], place.environ)
    run.wait_for_line(2)
    kinds = [kind for kind, number in OF_EACH.items() for _ in range(number)]
    with ExitStack() as stack:
        readers = [stack.enter_context(start_reader(kind, place, pause)) for kind in kinds]
        code, seconds = run.end(), time.monotonic() - start
        written = [reader.communicate() for reader in readers]
    run.bury()
    errors = [message for reader, (_, message) in zip(readers, written, strict=True) if reader.returncode]
    if code:
        errors.append(run.lines[-1][1])
    outputs = [(kind, out) for kind, (out, _) in zip(kinds, written, strict=True)]
    printed = {kind: [out for of_kind, out in outputs if of_kind == kind] for kind in OF_EACH}
    return Crowd({kind: _read_latencies(texts) for kind, texts in printed.items()}, errors, seconds)


def start_reader(kind: str, place: Place, pause: float) -> "subprocess.Popen[str]":
    """Start a reader; it polls until its standard input is closed."""
    return subprocess.Popen(  # noqa: S603 (our own interpreter and script)
        [sys.executable, "-c", LOOP + READERS[kind], str(place.home / "warehouse.duckdb"), str(pause)],
        env=place.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _read_latencies(printed: list[str]) -> Latencies:
    lines = [line.split() for text in printed for line in text.splitlines()]
    return Latencies(sorted(float(seconds) for seconds, _ in lines), sum(outcome == "locked" for _, outcome in lines))


def main() -> None:
    """Run the study with its readers, print the figures and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between an answer and the next query")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        crowd = run_crowded(Path(folder), options.pause)
    figures = {"study, s": crowd.seconds, "errors": float(len(crowd.errors))}
    for kind, latencies in crowd.latencies.items():
        figures |= {f"{kind}, {name}": figure for name, figure in latencies.summarise().items()}
    for name, figure in figures.items():
        print(f"{name:40} {figure:8.2f}")
    for error in crowd.errors:
        print(error)
    if options.pause == PAUSE:
        write_results("readers", figures, {})


if __name__ == "__main__":
    main()

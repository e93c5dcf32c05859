"""How long a user waits for each command, in a new home: `python -m benchmarks.commands`.

Measures whole processes, from start to exit, as a user would with `time`. There is nothing to compare with: these are
fintone's own commands. The leaderboard that the demo prints is kept with the figures.
"""

import os
import resource
import statistics
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.arguments import parse_nothing
from benchmarks.machine import FINTONE, write_results

QUICK_RUNS = 5
EXAMPLE = (
    "SELECT cell_name, accuracy, accuracy_low, accuracy_high FROM leaderboard WHERE study_id = "
    "latest_study() AND part = 'test' AND temperature = 0.1 AND kind = 'fine-tuned' ORDER BY accuracy DESC LIMIT 3"
)
"""The query that the README shows with its answer."""


def run_command(arguments: list[str], home: Path) -> tuple[float, str]:
    """Seconds that one command takes, and what it prints; it must succeed."""
    environment = {**os.environ, "FINTONE_HOME": str(home)}
    start = time.monotonic()
    result = subprocess.run(  # noqa: S603
        [str(FINTONE), *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return time.monotonic() - start, result.stdout


def main() -> None:
    """Run the demo twice and the quick commands five times, print a table and write the results."""
    parse_nothing(__doc__)
    figures: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        home = Path(folder)
        figures["fintone run, first, s"], printed = run_command(["run"], home)
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1_024
        figures["fintone run, peak memory of its largest process, GB"] = largest / 1e9
        figures["fintone run, nothing new, s"], _ = run_command(["run"], home)
        _, answer = run_command(["sql", EXAMPLE], home)
        figures["fintone report, s"], _ = run_command(["report"], home)
        for arguments in (["--help"], ["sql", "FROM leaderboard"], ["run", "--dry-run"]):
            seconds = [run_command(arguments, home)[0] for _ in range(QUICK_RUNS)]
            figures[f"fintone {' '.join(arguments)}, median s"] = statistics.median(seconds)
    for name, figure in figures.items():
        print(f"{name:55} {figure:8.2f}")
    leaderboard = printed.strip().split("\n\n")[0].splitlines()
    lines = {"leaderboard": leaderboard, "query": [f'fintone sql "{EXAMPLE}"', "", *answer.splitlines()]}
    stripped = {name: [line.rstrip() for line in block] for name, block in lines.items()}
    write_results("commands", figures, {}, **stripped)


if __name__ == "__main__":
    main()

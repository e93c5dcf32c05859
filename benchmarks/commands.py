"""How long a user waits for each command, in a home of its own: `python -m benchmarks.commands`.

Measures whole processes, from start to exit, as a user would with `time`. Compares with nothing: these are fintone's
own commands.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import write_results

QUICK_RUNS = 5
FINTONE = Path(sys.executable).with_name("fintone")


def measure_command(arguments: list[str], home: Path) -> float:
    """Seconds that one command takes; it must succeed."""
    environment = {**os.environ, "FINTONE_HOME": str(home)}
    start = time.monotonic()
    subprocess.run([str(FINTONE), *arguments], env=environment, check=True, capture_output=True)  # noqa: S603
    return time.monotonic() - start


def main() -> None:
    """Run the demo twice and the quick commands five times, print a table and write the results."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        figures = {"fintone run, first, s": measure_command(["run"], home)}
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1_024
        figures["fintone run, peak memory, GB"] = peak / 1e9
        figures["fintone run, nothing new, s"] = measure_command(["run"], home)
        for arguments in (["--help"], ["sql", "FROM leaderboard"], ["run", "--dry-run"]):
            seconds = [measure_command(arguments, home) for _ in range(QUICK_RUNS)]
            figures[f"fintone {' '.join(arguments)}, median s"] = statistics.median(seconds)
    for name, figure in figures.items():
        print(f"{name:45} {figure:8.2f}")
    path = write_results("commands", {name: round(figure, 3) for name, figure in figures.items()}, {})
    print(f"written to {path}")


if __name__ == "__main__":
    main()

"""Whole studies by the command line on a GPU, from start to exit; run by `python -m benchmarks.gpu`."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu_results import Results

VALIDATION = {"split.validation_per_class": "68"}
"""204 headlines of validation: the headlines that the paper leaves over would make scoring the largest part."""
ROOT = Path(__file__).parents[1]
"""The folder of fintone's code, which need not be installed."""
REAL = Path(__file__).with_name("financial-phrasebank.yaml")


def measure_paper(results: Results, folder: Path, data: str, scratch: Path, schedule: str) -> None:
    """Run the profile `paper` on the model in a folder."""
    name, settings = f"{schedule} schedule", {"training.schedule": schedule, **VALIDATION}
    arguments = ["--profile", "paper", "--data", data, "--base-model", str(folder)]
    arguments += [word for setting, value in settings.items() for word in ("--set", f"{setting}={value}")]
    _run(results, f"paper, {name}", arguments, Path.cwd(), scratch / f"home {name}")


def measure_real(results: Results, folder: Path, scratch: Path) -> None:
    """Run the study of real headlines in the folder with its data and models, and keep the accuracy of each cell."""
    home = scratch / "home real"
    _run(results, "real study", ["--profile", str(REAL)], folder, home)
    from storage.query import query

    sql = "SELECT cell_name, accuracy FROM leaderboard WHERE part = 'test' AND temperature = 0.1 AND kind <> 'baseline'"
    for name, accuracy in sorted(query(home / "warehouse.duckdb", sql).rows):
        results.add(f"real study, {name}, accuracy", accuracy)


def _run(results: Results, name: str, arguments: Sequence[str], folder: Path, home: Path) -> None:
    """Run a study in a folder and a new home, and keep its seconds and the number of cells that it trained."""
    shutil.rmtree(home, ignore_errors=True)  # a run that was cut off left what it had finished
    start = time.monotonic()
    command = [sys.executable, "-c", "from cli.main import main; main()", "run", *arguments]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "FINTONE_HOME": str(home.resolve())}
    subprocess.run(command, cwd=folder, env=environment, check=True)  # noqa: S603
    results.add(f"{name}, s", time.monotonic() - start)
    from storage.query import query

    sql = "SELECT count(train_seconds) FROM cells WHERE kind = 'fine-tuned'"
    [(cells,)] = query(home / "warehouse.duckdb", sql).rows
    results.add(f"{name}, cells trained", cells)

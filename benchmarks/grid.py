"""The study's grid and an epoch curve, end to end, compared with the notebook's way: `python -m benchmarks.grid`.

fintone's side is the command line, from start to exit: the grid of Camargo 2024 (3 learning rates x {1, 3} epochs,
the untouched base, three temperatures) with a constant schedule after the warm-up, baselines and a validation part
included; then only 13 epochs, and the curve of 1 to 13 epochs. The notebook's way loads the model for each cell,
trains it with `SFTTrainer`, one row a pass and eight passes a step, and calls a text-generation pipeline for each
headline and temperature. Its parts are measured here, before and after fintone's grid; since the whole would take
hours, its time is extrapolated from their means.
"""

import os
import statistics
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from trl import SFTTrainer

from benchmarks.arguments import learning_parser
from benchmarks.headlines import load_parts
from benchmarks.machine import FINTONE, print_figures, write_results
from benchmarks.scoring import SAMPLES, build_pipeline, measure_rate
from benchmarks.scoring import prepare as prepare_scoring
from benchmarks.training import TIMED, WARM_UP, Subject, build_trainer, prepare, rate_of, time_steps
from embedded.paths import MODEL_FOLDER
from learning.models.device import choose_device
from schemas.cell import LoraSettings
from schemas.profiles import load_profile
from storage.query import query

RATES, EPOCHS, CURVE = "2e-6,2e-4,2e-2", "1,3", ",".join(map(str, range(1, 14)))
CELLS, GRID_EPOCHS, MODELS = 6, 12, 7
LOADS = 3


def run_fintone(home: Path, arguments: list[str]) -> float:
    """Seconds that `fintone run` takes, from start to exit."""
    environment = {**os.environ, "FINTONE_HOME": str(home)}
    start = time.monotonic()
    subprocess.run([str(FINTONE), "run", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return time.monotonic() - start


def read_shares(home: Path) -> tuple[float, float]:
    """Seconds of training and seconds of scoring, over all cells of a home."""
    [(trained,)] = query(home / "warehouse.duckdb", "SELECT sum(train_seconds) FROM cells").rows
    parts = "SELECT DISTINCT cell_id, part, seconds FROM evaluations WHERE temperature IS NOT NULL"
    scored = f"SELECT sum(seconds) FROM ({parts})"  # noqa: S608
    [(scored_seconds,)] = query(home / "warehouse.duckdb", scored).rows
    return float(trained), float(scored_seconds)


def measure_notebook(subject: Subject, test: list[str], loss: str, scratch: Path) -> dict[str, float]:
    """The cost of each part of the notebook's way: loading, training and scoring."""
    loads = []
    for _ in range(LOADS):
        start = time.perf_counter()
        trainer = build_trainer(SFTTrainer, subject, loss, 1, TIMED + WARM_UP, scratch, in_float32=False)
        loads.append(time.perf_counter() - start)
    ends = time_steps(trainer)
    scored = prepare_scoring(subject.folder, test, subject.device, scratch)
    return {
        "notebook, loading, s a cell": statistics.median(loads),
        "notebook, training, examples/s": rate_of(ends, subject.batch_size),
        "notebook, pipeline, headlines/s at three temperatures": measure_rate(
            build_pipeline(scored), test, SAMPLES["pipeline"]
        ),
    }


def extrapolate(parts: dict[str, float], train: int, test: int) -> float:
    """Seconds of the whole grid the notebook's way."""
    loading, training, scoring = parts.values()
    return CELLS * loading + GRID_EPOCHS * train / training + MODELS * test / scoring


def main() -> None:
    """Measure both sides, print a table and write the results."""
    parser = learning_parser(__doc__)
    parser.add_argument("--loss", default="completion", choices=["completion", "whole-text"])
    arguments = parser.parse_args()
    device, folder = choose_device(), arguments.model or MODEL_FOLDER
    settings = {
        "training.loss": arguments.loss,
        "training.schedule": "constant",
        "split.validation_per_class": "100",
        "grid.curve_epochs": "",
    }
    usual = ["--profile", "paper", "--data", arguments.data, "--base-model", str(folder)]
    usual += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    figures: dict[str, float] = {}
    with TemporaryDirectory() as scratch:
        parts = load_parts(arguments.data)
        lora = LoraSettings(**load_profile("paper")["lora"])
        subject = replace(prepare(folder, parts["train"], device), lora=lora)
        before = measure_notebook(subject, parts["test"][0], arguments.loss, Path(scratch))
        homes = {name: Path(scratch) / name for name in ("grid", "longest", "curve")}
        grid = ["--learning-rates", RATES, "--epochs", EPOCHS]
        figures["fintone, grid, s"] = run_fintone(homes["grid"], [*usual, *grid])
        trained, scored = read_shares(homes["grid"])
        figures["fintone, grid, training, s"], figures["fintone, grid, scoring, s"] = trained, scored
        figures["fintone, grid, all else, s"] = figures["fintone, grid, s"] - trained - scored
        print(f"{'fintone, grid':60} {figures['fintone, grid, s']:9.1f} s", flush=True)
        after = measure_notebook(subject, parts["test"][0], arguments.loss, Path(scratch))
        notebook = {name: statistics.mean((before[name], after[name])) for name in before}
        figures |= notebook
        extrapolated = extrapolate(notebook, len(parts["train"][0]), len(parts["test"][0]))
        figures["notebook, grid, extrapolated, s"] = extrapolated
        print(f"{'notebook, grid, extrapolated':60} {extrapolated:9.1f} s", flush=True)
        for name, epochs in (("longest", "13"), ("curve", CURVE)):
            options = [*usual, "--learning-rates", "2e-4", "--epochs", epochs]
            figures[f"fintone, {name}, s"] = run_fintone(homes[name], options)
            print(f"{f'fintone, {name}':60} {figures[f'fintone, {name}, s']:9.1f} s", flush=True)
    ratios = {
        "fintone/notebook": figures["notebook, grid, extrapolated, s"] / figures["fintone, grid, s"],
        "curve of 1 to 13 epochs/13 epochs alone": figures["fintone, curve, s"] / figures["fintone, longest, s"],
        "all else/grid": figures["fintone, grid, all else, s"] / figures["fintone, grid, s"],
    }
    print_figures(figures, ratios)
    more = {"model": folder.resolve().name, "data": Path(arguments.data).name, "loss": arguments.loss}
    write_results("grid", figures, ratios, **more)


if __name__ == "__main__":
    main()

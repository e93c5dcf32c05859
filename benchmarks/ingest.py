"""Ingesting a CSV of headlines, compared with pandas and pandera and with DuckDB: `python -m benchmarks.ingest`.

Each side runs in a separate process, to measure its peak memory, and is timed from the call to the stored result,
without imports. fintone accounts for every row, merges copies, groups near copies and stores a snapshot. pandas and
pandera do what a script would: read, validate, drop failing rows and exact copies, store. DuckDB's `read_csv` only
loads. Then fintone ingests the largest corpus with dates and instruments, and with only text and label.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.corpus import write_csv, write_dated_csv, write_undated_csv
from benchmarks.machine import write_results

SIZES = (10_000, 100_000, 1_000_000)
RUNS = 3

Side = Callable[[Path, Path], float]


def ingest_numbers(file: Path, folder: Path) -> float:
    """Seconds in which fintone ingests the file, near copies grouped by their numbers."""
    return _take_in(file, folder, "numbers")


def ingest_reworded(file: Path, folder: Path) -> float:
    """Seconds in which fintone ingests the file, near copies grouped by their words too."""
    return _take_in(file, folder, "reworded")


def ingest_again(file: Path, folder: Path) -> float:
    """Seconds in which fintone finds that the file did not change since another process ingested it."""
    first = get_context("spawn").Process(target=_take_in, args=(file, folder, "numbers"))
    first.start()
    first.join()
    return _take_in(file, folder, "numbers")


def use_pandas(file: Path, folder: Path) -> float:
    """Seconds for pandas and pandera."""
    import duckdb
    import pandas as pd
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    text = pa.Column(str, pa.Check.str_length(min_value=1))
    label = pa.Column(str, pa.Check.isin(["negative", "neutral", "positive"]))
    schema = pa.DataFrameSchema({"text": text, "label": label})
    start = time.perf_counter()
    frame = pd.read_csv(file, keep_default_na=False)
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        frame = frame.drop(index=error.failure_cases["index"].unique())
    frame["text"] = frame["text"].str.strip()
    frame = frame.drop_duplicates(["text", "label"])
    with duckdb.connect(folder / "pandas.duckdb") as connection:
        connection.register("frame", frame)
        connection.execute("CREATE TABLE headlines AS FROM frame")
    return time.perf_counter() - start


def use_read_csv(file: Path, folder: Path) -> float:
    """Seconds for DuckDB's `read_csv`."""
    import duckdb

    start = time.perf_counter()
    with duckdb.connect(folder / "plain.duckdb") as connection:
        connection.execute("CREATE TABLE headlines AS FROM read_csv(?)", [str(file)])
    return time.perf_counter() - start


SIDES: dict[str, Side] = {
    "fintone": ingest_numbers,
    "fintone, reworded copies too": ingest_reworded,
    "fintone, again": ingest_again,
    "pandas and pandera": use_pandas,
    "DuckDB read_csv": use_read_csv,
}


def _take_in(file: Path, folder: Path, near_duplicates: str) -> float:
    from ingestion import ingest  # noqa: F401 (its imports are not part of the time)
    from operations.intake import ingest_and_save
    from schemas.source import DataSettings

    os.environ["FINTONE_HOME"] = str(folder)
    data = DataSettings.model_validate({"source": str(file), "near_duplicates": near_duplicates})
    start = time.perf_counter()
    ingest_and_save(data, lambda _: None)
    return time.perf_counter() - start


def run_side(name: str, file: Path) -> tuple[float, float]:
    """Run one side in separate processes: median seconds, and peak memory in GB."""
    return _summarise([_run_once(name, file) for _ in range(RUNS)])


def _run_once(name: str, file: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.ingest", "--side", name, "--data", str(file)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    run: dict[str, float] = json.loads(printed)
    return run


def _summarise(runs: Sequence[dict[str, float]]) -> tuple[float, float]:
    return statistics.median(run["seconds"] for run in runs), max(run["gigabytes"] for run in runs)


def measure_dates(folder: Path) -> dict[str, float]:
    """Measure the same headlines with and without dates and instruments, in turn; print the figures at the end."""
    size = max(SIZES)
    files = {"with dates": folder / "dated.csv", "without dates": folder / "undated.csv"}
    write_dated_csv(files["with dates"], size)
    write_undated_csv(files["without dates"], size)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in files}
    for _ in range(RUNS):
        for name, file in files.items():
            runs[name].append(_run_once("fintone", file))
    figures: dict[str, float] = {}
    for name, of_file in runs.items():
        seconds, gigabytes = _summarise(of_file)
        figures |= {f"fintone {name}, {size:,} rows, s": seconds, f"fintone {name}, {size:,} rows, peak GB": gigabytes}
        print(f"{f'fintone {name}':30} {f'{size:,} rows':>16} {seconds:9.2f} s {gigabytes:6.2f} GB", flush=True)
    return figures


def measure(files: dict[str, Path]) -> dict[str, float]:
    """Measure every side on every file; print each figure as soon as it is known."""
    figures: dict[str, float] = {}
    for size, file in files.items():
        for name in SIDES:
            seconds, gigabytes = run_side(name, file)
            figures[f"{name}, {size}, s"] = seconds
            figures[f"{name}, {size}, peak GB"] = gigabytes
            print(f"{name:30} {size:>16} {seconds:9.2f} s {gigabytes:6.2f} GB", flush=True)
    return figures


def main() -> None:
    """Measure all sides, and write the results if `--data` is not given; or one side once with `--side`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a CSV with the columns text and label; generated if not given")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.side:
            seconds = SIDES[arguments.side](arguments.data, folder)
            gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 / 1e9
            print(json.dumps({"seconds": seconds, "gigabytes": gigabytes}))
            return
        figures = measure({arguments.data.name: arguments.data} if arguments.data else _write_corpora(folder))
        dates = {} if arguments.data else measure_dates(folder)
    largest = [figure for figure in figures if figure.startswith("fintone, ")][-1].split(", ")[-2]
    fintone = figures[f"fintone, {largest}, s"]
    ratios = {
        "fintone/pandas_pandera": figures[f"pandas and pandera, {largest}, s"] / fintone,
        "fintone/duckdb_read_csv": figures[f"DuckDB read_csv, {largest}, s"] / fintone,
    }
    if dates:
        dated, undated = (seconds for name, seconds in dates.items() if name.endswith(", s"))
        ratios["fintone with dates/without dates, s"] = dated / undated
        figures |= dates
    for ratio, value in ratios.items():
        print(f"{ratio:47} {value:9.3f}")
    if arguments.data is None:  # the documents quote the corpora
        write_results("ingest", figures, ratios)


def _write_corpora(folder: Path) -> dict[str, Path]:
    files = {f"{size:,} rows": folder / f"{size}.csv" for size in SIZES}
    for size, file in zip(SIZES, files.values(), strict=True):
        write_csv(file, size)
    return files


if __name__ == "__main__":
    main()

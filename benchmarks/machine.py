"""The machine that a benchmark ran on, and the files with its figures."""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
FINTONE = Path(sys.executable).with_name("fintone")
"""The command of this environment."""


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{library: version(library) for library in ("torch", "duckdb", "prefect")},
    }


def print_figures(figures: dict[str, float], ratios: dict[str, float]) -> None:
    """Print each on a line of its own."""
    for name, figure in [*figures.items(), *ratios.items()]:
        print(f"{name:60} {figure:9.2f}")


def write_results(name: str, figures: dict[str, float], ratios: dict[str, float], **more: Any) -> None:
    """Write `results/NAME.json`: the machine, figures, ratios of fintone's rate to the others', and further entries."""
    path = RESULTS / f"{name}.json"
    rounded = {figure: round(value, 3) for figure, value in figures.items()}
    record = {"machine": describe_machine(), "figures": rounded, "ratios": ratios, **more}
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()

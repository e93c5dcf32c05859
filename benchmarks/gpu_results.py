"""The figures of a GPU, printed and written as soon as they are known. Measures nothing."""

import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import describe_machine


class Results:
    """Figures, each printed and written as soon as it is added."""

    def __init__(self, folder: Path, **known: Any) -> None:
        """Write to `folder/gpu.json`, keeping the figures of earlier runs."""
        self.path = folder / "gpu.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.record: dict[str, Any] = {"figures": {}, "ratios": {}}
        if self.path.exists():
            self.record |= json.loads(self.path.read_text(encoding="utf-8"))
        self.record = {"machine": {**describe_machine(), "gpu": torch.cuda.get_device_name()}, **known, **self.record}

    def add(self, name: str, value: float, *, kind: str = "figures") -> None:
        """Keep a figure."""
        self.record[kind][name] = round(value, 4)
        print(f"{name:78} {value:10.3f}", flush=True)
        self.path.write_text(json.dumps(self.record, indent=2) + "\n", encoding="utf-8")

    def __getitem__(self, name: str) -> float:
        return float(self.record["figures"][name])

    def compare(self, name: str, one: str, other: str) -> None:
        """Keep the ratio of two figures."""
        self.add(name, self[one] / self[other], kind="ratios")

"""The figures of a GPU, printed and written as soon as they are known. Measures nothing."""

import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import describe_machine


class Results:
    """Figures, each printed and written as soon as it is added."""

    def __init__(self, folder: Path, **known: Any) -> None:
        """Write to `folder/gpu.json`, keeping the figures of earlier runs.

        Raises:
            SystemExit: They are of another card or another subject.
        """
        self.path = folder / "gpu.json"
        folder.mkdir(parents=True, exist_ok=True)
        machine = {**describe_machine(), "gpu": torch.cuda.get_device_name()}
        self.record: dict[str, Any] = {"machine": machine, **known, "figures": {}, "ratios": {}}
        if self.path.exists():
            earlier = json.loads(self.path.read_text(encoding="utf-8"))
            if (earlier["machine"]["gpu"], *(earlier.get(name) for name in known)) != (machine["gpu"], *known.values()):
                raise SystemExit(f"{self.path}: it has figures of another card, model or data; choose another folder")
            self.record |= {kind: earlier[kind] for kind in ("figures", "ratios")}

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

"""The figures of a GPU, printed and written as soon as they are known. Measures nothing."""

import json
from pathlib import Path
from typing import Any, NoReturn

import torch

from benchmarks.machine import describe_machine

_MACHINE = ("gpu", "processor", "cores", "python", "torch")
"""What must be the same for figures of several runs to be of one machine."""


class Results:
    """Figures, each printed and written as soon as it is added."""

    def __init__(self, folder: Path, **known: Any) -> None:
        """Write to `folder/gpu.json`, keeping the figures of earlier runs.

        Raises:
            SystemExit: They are of another machine or another subject.
        """
        self.path = folder / "gpu.json"
        folder.mkdir(parents=True, exist_ok=True)
        machine = {**describe_machine(), "gpu": torch.cuda.get_device_name()}
        self.record: dict[str, Any] = {"machine": machine, **known, "figures": {}, "ratios": {}}
        if self.path.exists():
            earlier = json.loads(self.path.read_text(encoding="utf-8"))
            has = [*(earlier["machine"].get(name) for name in _MACHINE), *(earlier.get(name) for name in known)]
            if has != [*(machine[name] for name in _MACHINE), *known.values()]:
                self._refuse("another machine, model or data")
            self.record |= {kind: earlier[kind] for kind in ("figures", "ratios")}

    def add(self, name: str, value: float, *, kind: str = "figures") -> None:
        """Keep a figure."""
        self.record[kind][name] = round(value, 4)
        print(f"{name:78} {value:10.3f}", flush=True)
        self.path.write_text(json.dumps(self.record, indent=2) + "\n", encoding="utf-8")

    def add_subject(self, name: str, value: float) -> None:
        """Keep a figure that describes what is measured.

        Raises:
            SystemExit: An earlier run had another.
        """
        if self.record["figures"].get(name, round(value, 4)) != round(value, 4):
            self._refuse(f"another subject ({name})")
        self.add(name, value)

    def _refuse(self, what: str) -> NoReturn:
        raise SystemExit(f"{self.path}: it has figures of {what}; choose another folder")

    def __getitem__(self, name: str) -> float:
        return float(self.record["figures"][name])

    def compare(self, name: str, one: str, other: str) -> None:
        """Keep the ratio of two figures."""
        self.add(name, self[one] / self[other], kind="ratios")

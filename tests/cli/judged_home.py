"""A home with judged cells that were never trained: what a person promotes, with the smallest adapters."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import save_file

from storage.cell_progress import finish_cell
from storage.cells import CellOutcome, CellRecord, add_cells
from storage.evaluations import EvaluationRecord, save_evaluations
from storage.studies import StudyRecord, save_study

ONE, TWO, UNTRAINED, BASELINE, BASE = (f"{letter * 4}11112222" for letter in "abcdf")


def make_judged_home(home: Path, prepared: Path) -> None:
    """Fill an empty folder with two cells judged at two temperatures, one that is planned, a baseline and a base.

    Args:
        home: The folder.
        prepared: An empty warehouse, which is copied.
    """
    warehouse = Path(shutil.copy(prepared, home))
    fields: dict[str, Any] = {"snapshot_id": "snapshot", "split_id": "split"}
    study = {"profile": "desk", "base_model": "tiny", "base_revision": None, "source": "news.csv", "synthetic": False}
    save_study(warehouse, StudyRecord("study", **study, **fields, config={}, temperatures=(0.1, 1), decoding_id="all"))
    cells = [
        CellRecord(
            cell_id,
            "fine-tuned",
            "tiny",
            f"seed={seed}",
            **fields,
            hyperparameters={},
            learning_rate=1e-3,
            epochs=1,
            seed=seed,
        )
        for seed, cell_id in enumerate((ONE, TWO, UNTRAINED))
    ]
    cells.append(CellRecord(BASELINE, "baseline", "svm", "baseline: svm", **fields, hyperparameters={}))
    cells.append(CellRecord(BASE, "base", "tiny", "base: tiny", **fields, hyperparameters={}))
    add_cells(warehouse, "study", cells)
    records = []
    for cell_id in (ONE, TWO):
        finish_cell(warehouse, cell_id, CellOutcome())
        _write_adapter(home / "adapters" / cell_id)
        for temperature in (1.0, 0.1):
            values = dict.fromkeys(EvaluationRecord.__dataclass_fields__, 0.5)
            identity = {"cell_id": cell_id, "split_id": "split", "part": "test", "temperature": temperature, "n": 1}
            rest = {"evaluation_id": f"{cell_id} {temperature}", "decoding_id": "all", "top_k": None, "draw_seed": 1}
            records.append(EvaluationRecord(**(values | identity | rest)))
    predictions = pd.DataFrame(
        {"evaluation_id": [records[0].evaluation_id], "headline_id": "h", "predicted": "neutral"}
    )
    save_evaluations(warehouse, records, predictions)


def _write_adapter(folder: Path) -> None:
    """The smallest adapter that a check of its files accepts."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 1}', encoding="utf-8")
    save_file({"layer.lora_A.weight": torch.ones(1, 2)}, folder / "adapter_model.safetensors")

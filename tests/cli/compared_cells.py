"""A warehouse with two fine-tunes and two baselines that are compared on 60 headlines."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from learning.study.comparison import compare_all
from schemas.label import LABELS
from storage.cells import CellRecord, add_cells
from storage.comparisons import load_runs, save_comparisons
from storage.evaluations import EvaluationRecord, save_evaluations
from storage.studies import StudyRecord, save_study
from storage.warehouse import writing

N = 60
LABEL_NUMBERS = np.arange(N) % 3
CELLS = {
    "aaaa11112222": ("fine-tuned", "tiny-llama", 2e-4, 3, 42),
    "bbbb11112222": ("fine-tuned", "tiny-llama", 2e-6, 1, 42),
    "5555aaaabbbb": ("baseline", "TF-IDF + linear SVM", None, None, None),
    "5555ccccdddd": ("baseline", "majority class", None, None, None),
}
TUNED, WEAK, SVM, MAJORITY = CELLS
STEERING = "\x1b[31mProfit\x1b[0m [bold]rose[/bold] .\u202e"


def predict_except(*spans: tuple[int, int]) -> np.ndarray:
    """Predictions that are right, except on these spans of headlines."""
    wrong = np.zeros(N, dtype=bool)
    for start, end in spans:
        wrong[start:end] = True
    return np.where(wrong, (LABEL_NUMBERS + 1) % 3, LABEL_NUMBERS)


def add_evaluations(warehouse: Path, cell_id: str, runs: dict[float | None, np.ndarray], **changes: Any) -> None:
    """Save evaluations of a cell by their temperature; the figures of the leaderboard are placeholders."""
    records, frames = [], []
    for temperature, predicted in runs.items():
        fields = dict.fromkeys(EvaluationRecord.__dataclass_fields__, 0.5)
        sampling = {"top_k": None, "top_p": None, "draw_seed": None}
        identity = {
            "evaluation_id": f"{cell_id} at {temperature} {changes.get('part', 'test')}",
            "cell_id": cell_id,
            "split_id": "split",
            "part": "test",
            "temperature": temperature,
            "decoding_id": None if temperature is None else "all",
            "n": len(predicted),
        }
        records.append(EvaluationRecord(**(fields | sampling | identity | changes)))
        first = changes.get("first", 0)
        rows = {
            "evaluation_id": identity["evaluation_id"],
            "headline_id": [f"{number:016x}" for number in range(first, first + len(predicted))],
            "predicted": [LABELS[number].value for number in predicted],
        }
        frames.append(pd.DataFrame(rows | dict.fromkeys(("p_negative", "p_neutral", "p_positive", "p_unparsed"), 0.25)))
    save_evaluations(warehouse, records, pd.concat(frames))


def add_study(warehouse: Path, study_id: str, cells: dict[str, tuple[Any, ...]], split_id: str = "split") -> None:
    data = {"snapshot_id": "snapshot", "split_id": split_id}
    study = {"profile": "desk", "base_model": "tiny-llama", "base_revision": None, "source": "news.csv"}
    rest = {"synthetic": False, "config": {}, "temperatures": (0.1, 1.0), "decoding_id": "all"}
    save_study(warehouse, StudyRecord(study_id=study_id, **study, **data, **rest))
    names = ("kind", "model", "learning_rate", "epochs", "seed")
    records = [
        CellRecord(
            cell_id=cell_id, name=name_cell(*cell), hyperparameters={}, **data, **dict(zip(names, cell, strict=True))
        )
        for cell_id, cell in cells.items()
    ]
    add_cells(warehouse, study_id, records)


def name_cell(kind: str, model: str, learning_rate: float | None, epochs: int | None, seed: int | None) -> str:
    return f"{kind}: {model}" if learning_rate is None else f"lr={learning_rate:g} epochs={epochs} seed={seed}"


def compare_study(warehouse: Path, study_id: str) -> None:
    """Do what the task `compare cells` does, without Prefect."""
    labels, runs = load_runs(warehouse, study_id, "test")
    rows = [
        {"temperature": first[1] or second[1], "cell_id": first[0], "other_cell_id": second[0], **asdict(compared)}
        for first, second, compared in compare_all(labels, runs)
    ]
    save_comparisons(warehouse, study_id, "test", pd.DataFrame(rows))


def make_compared(prepared: Path, folder: Path) -> Path:
    """A copy of an empty warehouse, filled; the first headline would steer a terminal."""
    headlines = pd.DataFrame(
        {
            "headline_id": [f"{number:016x}" for number in range(N)],
            "text": [STEERING, *(f"Sales of firm {number} rose ." for number in range(1, N))],
            "label": [LABELS[number].value for number in LABEL_NUMBERS],
            "first_ingest_id": "ingest",
        }
    )
    warehouse = Path(shutil.copy(prepared, folder))
    with writing(warehouse) as connection:
        connection.register("incoming", headlines)
        connection.execute("INSERT INTO headlines BY NAME FROM incoming")
    add_study(warehouse, "study", CELLS)
    add_evaluations(warehouse, TUNED, {0.1: predict_except((58, 60)), 1.0: predict_except((0, 20))})
    add_evaluations(warehouse, WEAK, {0.1: predict_except((0, 40)), 1.0: predict_except((0, 21))})
    add_evaluations(warehouse, SVM, {None: predict_except((0, 20))})
    add_evaluations(warehouse, MAJORITY, {None: np.ones(N, dtype=np.int64)})
    compare_study(warehouse, "study")
    return warehouse

"""A small warehouse for the tests of storage, empty or with a finished study, and makers of its records."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage import migrations
from storage.cell_progress import finish_cell
from storage.cells import CellOutcome, CellRecord, add_cells
from storage.evaluations import EvaluationRecord, save_evaluations
from storage.headlines import save_ingestion
from storage.source_records import SourceRecord
from storage.splits import save_split
from storage.studies import StudyRecord, save_study
from storage.warehouse import prepare_warehouse

HEADLINE_IDS = [f"{number:016d}" for number in range(6)]


@pytest.fixture
def warehouse(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(prepared, tmp_path))


@pytest.fixture
def make_older_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes a warehouse as it was after the migration of a number, without views; it may lack some of those before."""

    def make(last: int, *lacks: int) -> Path:
        path, folder, views = tmp_path / "older.duckdb", tmp_path / "migrations", tmp_path / "views.sql"
        folder.mkdir()
        views.write_text("")
        for file in migrations.MIGRATIONS_FOLDER.glob("*.sql"):
            if int(file.name[:4]) <= last and int(file.name[:4]) not in lacks:
                shutil.copy(file, folder)
        with monkeypatch.context() as older:
            older.setattr(migrations, "MIGRATIONS_FOLDER", folder)
            older.setattr(migrations, "VIEWS_FILES", [views])
            prepare_warehouse(path)
        return path

    return make


@pytest.fixture(scope="session")
def source() -> SourceRecord:
    return SourceRecord("ingest", "news.csv", "/data/news.csv", "csv", "ab" * 32, "utf-8", False, 8, 1, "snapshot")


@pytest.fixture(scope="session")
def accepted() -> pd.DataFrame:
    """Six headlines, two a label, the first two near copies; the last one was read from two rows."""
    return pd.DataFrame(
        {
            "headline_id": HEADLINE_IDS[::-1],
            "text_id": HEADLINE_IDS[::-1],
            "masked_id": HEADLINE_IDS[::-1],
            "group_id": [HEADLINE_IDS[4], *HEADLINE_IDS[4::-1]],
            "text": [f"Sales of firm {number} rose ." for number in range(6)],
            "label": ["positive", "neutral", "negative"] * 2,
            "copies": [1, 1, 1, 1, 1, 2],
            "context": None,
            "instrument": None,
            "agreement": pd.array([50, 100, None, None, None, None], dtype="Int64"),
        }
    )


@pytest.fixture(scope="session")
def rejected() -> pd.DataFrame:
    return pd.DataFrame({"source": "news.csv", "row_number": [7], "reason": ["no label"], "raw": ["Sales fell;"]})


@pytest.fixture(scope="session")
def quarantined() -> pd.DataFrame:
    """Two rows of one text that contradict each other."""
    rows = {"source": "news.csv", "row_number": [1, 2], "text_id": "f" * 16, "text": "Sales.", "resolution": "kept"}
    return pd.DataFrame({**rows, "label": ["positive", "neutral"]})


@pytest.fixture(scope="session")
def made_data(
    prepared: Path,
    tmp_path_factory: pytest.TempPathFactory,
    source: SourceRecord,
    accepted: pd.DataFrame,
    rejected: pd.DataFrame,
    quarantined: pd.DataFrame,
) -> Path:
    warehouse = Path(shutil.copy(prepared, tmp_path_factory.mktemp("data")))
    save_ingestion(warehouse, source, accepted, rejected, quarantined)
    parts = {"test": HEADLINE_IDS[:3], "train": HEADLINE_IDS[3:5], "validation": HEADLINE_IDS[5:]}
    save_split(warehouse, "split", "snapshot", parts, {"method": "hashed", "seed": 42})
    return warehouse


@pytest.fixture
def data(made_data: Path, tmp_path: Path) -> Path:
    """A warehouse with one snapshot and one split."""
    return Path(shutil.copy(made_data, tmp_path))


@pytest.fixture(scope="session")
def study() -> Callable[..., StudyRecord]:
    def make(**changes: Any) -> StudyRecord:
        fields = {
            "study_id": "study",
            "profile": "paper",
            "snapshot_id": "snapshot",
            "split_id": "split",
            "base_model": "tiny-llama",
            "base_revision": "abc",
            "source": "news.csv",
            "synthetic": False,
            "config": {"name": "paper"},
            "temperatures": (0.1, 1, 10),
            "decoding_id": "top-50",
        }
        return StudyRecord(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def cell() -> Callable[..., CellRecord]:
    def make(**changes: Any) -> CellRecord:
        fields = {
            "cell_id": "tuned",
            "kind": "fine-tuned",
            "model": "tiny-llama",
            "name": "lr=2e-04 epochs=3",
            "learning_rate": 2e-4,
            "epochs": 3,
            "seed": 42,
            "snapshot_id": "snapshot",
            "split_id": "split",
            "hyperparameters": {"r": 64},
        }
        return CellRecord(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def evaluation() -> Callable[..., EvaluationRecord]:
    def make(cell_id: str, temperature: float | None, **changes: Any) -> EvaluationRecord:
        fields = {
            "evaluation_id": f"{cell_id} at {temperature}",
            "cell_id": cell_id,
            "split_id": "split",
            "part": "test",
            "temperature": temperature,
            "decoding_id": None if temperature is None else "top-50",
            "top_k": None if temperature is None else 50,
            "top_p": None,
            "draw_seed": None if temperature is None else 42,
            "n": 3,
            "accuracy": 0.83,
            "accuracy_low": 0.81,
            "accuracy_high": 0.85,
            "macro_f1": 0.8,
            "macro_f1_low": 0.79,
            "macro_f1_high": 0.81,
            "expected_accuracy": 0.83,
            "expected_accuracy_low": 0.81,
            "expected_accuracy_high": 0.85,
            "unparsed_rate": 0.0,
            "strict_accuracy": 0.83,
            "argmax_accuracy": 0.84,
            "argmax_macro_f1": 0.82,
            "draws": None if temperature is None else 1,
            "seconds": 1.5,
            "headlines_per_second": 2.0,
        }
        return EvaluationRecord(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def predict() -> Callable[..., pd.DataFrame]:
    def make(evaluation_id: str, predicted: str = "positive", p: float | None = 0.25) -> pd.DataFrame:
        probabilities = dict.fromkeys(("p_negative", "p_neutral", "p_positive", "p_unparsed"), p)
        rows = {"evaluation_id": evaluation_id, "headline_id": HEADLINE_IDS[:3], "predicted": predicted}
        return pd.DataFrame(rows | probabilities)

    return make


@pytest.fixture(scope="session")
def made_finished(made_data: Path, tmp_path_factory: pytest.TempPathFactory, study, cell, evaluation, predict) -> Path:
    warehouse = Path(shutil.copy(made_data, tmp_path_factory.mktemp("finished")))
    unvaried = {"learning_rate": None, "epochs": None, "seed": None}
    save_study(warehouse, study())
    cells = [
        cell(),
        cell(cell_id="svm", kind="baseline", model="tfidf-svm", **unvaried),
        cell(cell_id="base", kind="base", **unvaried),
    ]
    add_cells(warehouse, "study", cells)
    for record in cells:
        finish_cell(warehouse, record.cell_id, CellOutcome())
    evaluations = [evaluation(cell_id, temperature) for cell_id in ("tuned", "base") for temperature in (10, 0.1, 1)]
    evaluations.append(evaluation("svm", None))
    save_evaluations(warehouse, evaluations, pd.concat([predict(each.evaluation_id) for each in evaluations]))
    return warehouse


@pytest.fixture
def finished(made_finished: Path, tmp_path: Path) -> Path:
    """A warehouse with a finished study: base model, baseline and one fine-tuned cell, each evaluated on test."""
    return Path(shutil.copy(made_finished, tmp_path))

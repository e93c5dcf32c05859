"""Fixtures for reports: a home whose study has every rival of the chosen cell, and reports with one chart."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.champions import Decision, save_decision
from storage.warehouse import writing
from tests.few_charts import drawing_few_charts

CHAMPION = "c4a3910000ff"
"""A cell of another study that was evaluated on the same test headlines."""


@pytest.fixture
def few_charts() -> Iterator[None]:
    """Reports of the test have one chart."""
    with drawing_few_charts():
        yield


@pytest.fixture
def rivals(trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which base and baselines answer as the trained cell does, the champion always answers positive."""
    home = tmp_path / "rivals"
    shutil.copytree(trained[0], home)
    monkeypatch.setenv("FINTONE_HOME", str(home))
    with writing(home / "warehouse.duckdb") as connection:
        copy = _copier(connection, trained[1])
        connection.execute(
            "INSERT INTO cells SELECT * REPLACE (? AS cell_id, 7 AS seed) FROM cells WHERE cell_id = ?",
            [CHAMPION, trained[1]],
        )
        connection.execute("INSERT INTO studies SELECT * REPLACE ('earlier' AS study_id, 0 AS number) FROM studies")
        connection.execute(
            "INSERT INTO study_cells (study_id, cell_id, position, name) VALUES ('earlier', ?, 0, 'lr=5e-01 epochs=9')",
            [CHAMPION],
        )
        for cell_id, kind in connection.execute(
            "SELECT cell_id, kind FROM cells WHERE kind <> 'fine-tuned'"
        ).fetchall():
            copy(cell_id, None if kind == "baseline" else 0.1)
        copy(CHAMPION, 0.1, answer="positive")
    decision = Decision("promoted", "person", "it was the best then", "earlier", CHAMPION, 0.1)
    save_decision(home / "warehouse.duckdb", decision, None)
    return home


def _copier(connection: Any, of: str) -> Callable[..., None]:
    def copy(cell_id: str, temperature: float | None, answer: str | None = None) -> None:
        """The evaluation of the trained cell on test at temperature 0.1, as one of another cell."""
        copied = "SELECT evaluation_id FROM evaluations WHERE cell_id = $of AND part = 'test' AND temperature = 0.1"
        values = {"of": of, "id": f"{cell_id} copied"}
        connection.execute(
            "INSERT INTO evaluations SELECT * REPLACE ($id AS evaluation_id, $cell AS cell_id, $at AS temperature, "
            f"if($at IS NULL, NULL, decoding_id) AS decoding_id) FROM evaluations WHERE evaluation_id = ({copied})",
            {**values, "cell": cell_id, "at": temperature},
        )
        connection.execute(
            "INSERT INTO ledger.predictions SELECT * REPLACE ($id AS evaluation_id, coalesce($answer, predicted) AS "
            f"predicted) FROM ledger.predictions WHERE evaluation_id = ({copied})",
            {**values, "answer": answer},
        )

    return copy

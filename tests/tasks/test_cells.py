"""The warehouse records why the task of a cell ended before the cell was done."""

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect import flow

from learning.worker.process import WorkerDiedError
from schemas.plan import StudyPlan
from storage.evaluations import forget_evaluations
from storage.warehouse import writing
from tasks.cells import INTERRUPTED, RunEndedError, running
from tasks.evaluation import score_cell
from tasks.progress import Progress
from tests.asking import ask

if TYPE_CHECKING:
    from learning.worker.process import Worker

KILLED = "the training process was killed by signal 9"
ENDED = "the run ended before it was done"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (KeyboardInterrupt(), "interrupted", INTERRUPTED),
        (RunEndedError(ENDED), "interrupted", ENDED),
        (ValueError("no such row"), "failed", "ValueError: no such row"),
    ],
)
def test_the_status_and_the_reason_follow_from_the_error(
    trained: tuple[Path, str, StudyPlan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: str,
    reason: str,
) -> None:
    home = Path(shutil.copytree(trained[0], tmp_path / "home"))
    monkeypatch.setenv("FINTONE_HOME", str(home))

    @flow
    def end() -> None:
        with running(trained[2].cells[0]):
            raise error

    with pytest.raises(type(error)):
        end()
    assert ask(home, f"SELECT status, reason FROM cells WHERE cell_id = '{trained[1]}'") == [(status, reason)]


@pytest.mark.usefixtures("server")
def test_why_a_trained_cell_is_not_evaluated_is_recorded_until_it_is(
    trained: tuple[Path, str, StudyPlan], session_worker: "Worker", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(shutil.copytree(trained[0], tmp_path / "home"))
    monkeypatch.setenv("FINTONE_HOME", str(home))
    forget_evaluations(home / "warehouse.duckdb", trained[1])

    @flow
    def evaluate() -> None:
        [cell] = [each for each in trained[2].cells if each.cell_id == trained[1]]
        score_cell.with_options(retries=0)(trained[2], cell)

    def kill(*_: Any) -> None:
        assert session_worker._process is not None
        os.kill(session_worker._process.pid, signal.SIGKILL)

    now = f"SELECT status, reason FROM cells WHERE cell_id = '{trained[1]}'"
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "update", kill)
        with pytest.raises(WorkerDiedError):
            evaluate()
    [(status, reason)] = ask(home, "SELECT status, reason FROM missing_cells WHERE kind = 'fine-tuned'")
    assert (status, reason.partition(" (")[0]) == ("finished", f"not evaluated: {KILLED}")
    evaluate()
    assert ask(home, now) == [("finished", None)]
    with writing(home / "warehouse.duckdb") as connection:  # as by another study of the cell
        connection.execute("UPDATE cells SET reason = 'not evaluated' WHERE cell_id = ?", [trained[1]])
    evaluate()
    assert ask(home, now) == [("finished", None)]

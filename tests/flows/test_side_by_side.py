"""A study whose cells train side by side has the same rows as one after the other, even if it is interrupted."""

import os
import signal
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import Run
from flows.retrain import retrain
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from tasks.cells import INTERRUPTED
from tasks.step_log import StepLog
from tests.asking import ask
from tests.flows.killed_trainings import kill_training
from tests.flows.live import count_states
from tests.server_record import ServerRecord

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("server", "lasting_worker")]

STUDY = (
    "split.train_per_class=16",
    "split.test_per_class=10",
    "split.validation_per_class=5",
    "baselines.names=majority class",
    "lora.r=4",
    "grid.learning_rates=1e-3,2e-4",
    "grid.epochs=1,2",
    "training.checkpoint_steps=2",
)
"""Two groups of two cells, of 6 and 12 steps."""
FINE_TUNED = "SELECT learning_rate, epochs, cell_id, status FROM cells WHERE kind = 'fine-tuned' ORDER BY ALL"
STEPS = "SELECT cell_id, step, epoch, learning_rate, loss, grad_norm FROM training_log ORDER BY cell_id, step"
EVALUATIONS = (
    "SELECT cell_id, part, temperature, n, accuracy, expected_accuracy FROM leaderboard WHERE kind = 'fine-tuned'"
    " ORDER BY cell_id, part, temperature"
)


def configure(*assignments: str) -> StudyConfig:
    return build_config(apply_overrides(load_profile("demo"), [*STUDY, *assignments]))


def run_study(home: Path, *assignments: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(home))
        return retrain(configure(*assignments))


@pytest.fixture(scope="module")
def sequential(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the study whose cells were trained one after the other."""
    home = tmp_path_factory.mktemp("sequential") / "home"
    run_study(home, "training.side_by_side=1")
    return home


@pytest.fixture(scope="module")
def record_of_all(server: str) -> ServerRecord:
    """The record of all studies of this module."""
    return ServerRecord()


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the study whose cells were trained in groups of two."""
    home = tmp_path_factory.mktemp("grouped") / "home"
    run_study(home, "training.side_by_side=2")
    return home


def check_same(home: Path, other: Path) -> None:
    """Both have the same cells, step logs and evaluations."""
    assert ask(home, FINE_TUNED) == ask(other, FINE_TUNED)
    for sql in (STEPS, EVALUATIONS):
        for row, expected in zip(ask(home, sql), ask(other, sql), strict=True):
            assert row[:4] == expected[:4]
            assert row[4:] == pytest.approx(expected[4:], abs=1e-3)


def test_the_same_cells_end_with_the_same_logs_and_accuracies(
    record_of_all: ServerRecord, sequential: Path, grouped: Path
) -> None:
    assert {status for *_, status in ask(grouped, FINE_TUNED)} == {"finished"}
    assert ask(grouped, "SELECT status FROM studies") == [("finished",)]
    check_same(grouped, sequential)
    first = ask(grouped, "SELECT DISTINCT epochs, first_step, steps FROM cells WHERE kind = 'fine-tuned' ORDER BY ALL")
    assert first == [(1, 0, 6), (2, 6, 12)]
    assert list(grouped.glob("checkpoints/*")) == list(grouped.glob("locks/*")) == []
    names = [run.name for run in record_of_all.task_runs()]
    for epochs in (1, 2):
        cells = f"lr=1e-03 epochs={epochs}, lr=2e-04 epochs={epochs}"
        assert f"train 2 cells side by side: {cells}" in names


def test_a_second_run_has_nothing_to_do(grouped: Path) -> None:
    trained = "SELECT cell_id, started_at, finished_at FROM cells ORDER BY ALL"
    before = ask(grouped, trained)
    run_study(grouped, "training.side_by_side=2")
    run_study(grouped, "training.side_by_side=1")
    assert ask(grouped, trained) == before
    assert ask(grouped, "SELECT count(*) FROM studies") == [(1,)]


def test_the_curve_of_a_grid_that_was_evaluated_before_is_trained_side_by_side(tmp_path: Path) -> None:
    recorded = ServerRecord()
    grid = ("training.side_by_side=2", "grid.learning_rates=1e-3", "grid.epochs=1", "grid.seeds=1,2")
    run_study(tmp_path, *grid, "curve_epochs=")
    run_study(tmp_path, *grid, "curve_epochs=2")
    names = {run.name.rpartition(": ")[2] for run in recorded.task_runs() if "side by side" in run.name}
    assert names == {"seed=1, seed=2", "seed=1 epochs=2, seed=2 epochs=2"}


def end_at_step(monkeypatch: pytest.MonkeyPatch, step: int, times: int) -> None:
    """Kill the training process when a cell of the second group reaches a step, this many times."""
    kill_training(monkeypatch, lambda log, event: log.cell.settings.training.epochs == 2 and event.step == step, times)


@pytest.mark.parametrize(("retries", "trained_singly"), [(1, 0), (0, 2)])
def test_a_group_whose_process_is_killed_is_still_trained(
    sequential: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    events: list[dict[str, Any]],
    retries: int,
    trained_singly: int,
    recorded: ServerRecord,
) -> None:
    """It is tried again; without retries, each of its cells is trained singly."""
    end_at_step(monkeypatch, 10, 1)
    run_study(tmp_path, "training.side_by_side=2", f"training.retries={retries}")
    check_same(tmp_path, sequential)
    [(first,)] = ask(tmp_path, "SELECT DISTINCT first_step FROM cells WHERE epochs = 2")
    assert first in (8, 10)
    started = Counter(run.name for run in recorded.task_runs())
    assert sum(number for name, number in started.items() if name.startswith("train 2 cells")) == 2
    assert sum(number for name, number in started.items() if name.startswith("train lr=")) == trained_singly
    assert count_states(events) == {"done": 6}
    lines = "\n".join(event.get("text", "") for event in events)
    for number, (epochs, rate) in enumerate(product((1, 2), ("1e-03", "2e-04")), start=1):
        assert f"cell {number}/4 train lr={rate} epochs={epochs}, " in lines


def test_an_interrupted_group_is_marked_and_the_next_run_continues_it(
    sequential: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = StepLog.update

    def interrupt(log: StepLog, event: Any) -> None:
        if log.cell.settings.training.epochs == 2 and event.step == 10:
            raise KeyboardInterrupt
        take(log, event)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(StepLog, "update", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_study(tmp_path, "training.side_by_side=2")
    states = ask(tmp_path, "SELECT epochs, status, reason FROM cells WHERE kind = 'fine-tuned' ORDER BY ALL")
    assert states == [(1, "finished", None)] * 2 + [(2, "interrupted", INTERRUPTED)] * 2
    assert ask(tmp_path, "SELECT status FROM studies") == [("interrupted",)]
    run_study(tmp_path, "training.side_by_side=2")
    check_same(tmp_path, sequential)


def test_a_study_killed_in_the_middle_of_a_group_is_continued_by_the_next_run(sequential: Path, tmp_path: Path) -> None:
    """The flow is killed with `kill -9` once two checkpoints of the first group are saved."""
    home = tmp_path / "home"
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    environment |= {"FINTONE_HOME": str(home), "PREFECT_HOME": str(tmp_path / "prefect")}
    arguments = ["run", *(f"--set={setting}" for setting in (*STUDY, "training.side_by_side=2"))]
    run = Run(arguments, environment)
    while len(list(home.glob("checkpoints/*/shared/checkpoint-*"))) < 2:
        assert not run.is_over_in(0.01)
    os.kill(run.process.pid, signal.SIGKILL)
    run.end()
    assert run.bury() == []
    again = Run(arguments, environment)
    assert again.end() == 0, again.lines[-1]
    assert again.bury() == []
    check_same(home, sequential)

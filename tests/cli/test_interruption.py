"""Ctrl-C and SIGTERM during a training: a checkpoint, a record, an end within seconds, and the same final result."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli import main as cli
from storage.query import query
from tests.asking import ask

ROOT = Path(cli.__file__).parents[1]
STUDY = [
    *("run", "--epochs", "20", "--set", "grid.learning_rates=[0.001]", "--set", "baselines.names=[]"),
    *(word for part in ("train", "validation", "test") for word in ("--set", f"split.{part}_per_class=24")),
]
SECONDS_TO_TRAIN = 180


def start(tmp_path: Path, **environment: str) -> "subprocess.Popen[str]":
    variables = {
        "FINTONE_HOME": str(tmp_path / "home"),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", "from cli.main import main; main()", *STUDY]
    return subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, **variables, **environment}, stderr=subprocess.PIPE, text=True
    )


def wait_for_training(home: Path) -> None:
    """Wait until the training has begun, which its scratch folder shows."""
    deadline = time.monotonic() + SECONDS_TO_TRAIN
    while not list(home.glob("checkpoints/*/tmp*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2)


def read_results(home: Path) -> list[tuple[object, ...]]:
    return query(
        home / "warehouse.duckdb",
        "SELECT cells.adapter_hash, p_negative, p_neutral, p_positive FROM predictions JOIN cells USING (cell_id)"
        " ORDER BY ALL",
    ).rows


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_study_continues_from_its_checkpoint_to_the_same_result(
    tmp_path: Path, number: signal.Signals
) -> None:
    home = tmp_path / "home"
    with start(tmp_path) as process:
        wait_for_training(home)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "interrupted; a checkpoint is saved" in errors
    assert errors.endswith("the same command goes on from there\n")
    assert ask(home, "SELECT status FROM studies") == [("interrupted",)]
    assert ask(home, "SELECT status FROM cells WHERE kind = 'fine-tuned'") == [("interrupted",)]
    for folder in (tmp_path, tmp_path / "undisturbed"):
        folder.mkdir(exist_ok=True)
        with start(folder) as process:
            _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    [(first_step,)] = ask(home, "SELECT first_step FROM cells WHERE kind = 'fine-tuned'")
    assert first_step > 0
    assert read_results(home) == read_results(tmp_path / "undisturbed" / "home")


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_prefect_server_that_is_gone_does_not_delay_the_end(tmp_path: Path, number: signal.Signals) -> None:
    from cli.session.interruption import SECONDS_TO_END
    from cli.session.temporary_server import TemporaryServer

    server = TemporaryServer()
    server.start()
    with start(tmp_path, PREFECT_API_URL=server.url) as process:
        wait_for_training(tmp_path / "home")
        server._is_closing = True  # so that it is not started again
        assert server._process
        server._process.kill()
        server._process.wait()
        server._socket.close()
        begun = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert time.monotonic() - begun < SECONDS_TO_END + 1
    assert process.returncode == 130, errors
    assert "interrupted; a checkpoint is saved" in errors

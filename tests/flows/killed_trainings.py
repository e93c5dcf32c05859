"""Kills the process that trains while a flow runs."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from operations.worker import _workers
from tasks.step_log import StepLog


def kill_training(
    monkeypatch: pytest.MonkeyPatch, is_due: Callable[[StepLog, Any], bool], times: int = 1
) -> Callable[[], int]:
    """Kill the training process when a cell's event is due, this many times.

    Args:
        monkeypatch: Undoes this at the end of the test.
        is_due: Receives the log of a cell and an event of its training.
        times: How often the process is killed.

    Returns:
        A function that returns how often it is still to be killed.
    """
    left, update = [times], StepLog.update

    def kill_and_update(log: StepLog, event: Any) -> None:
        if left[0] and is_due(log, event):
            left[0] -= 1
            [process] = [worker._process for worker in _workers]
            assert process is not None
            os.kill(process.pid, signal.SIGKILL)
        update(log, event)

    monkeypatch.setattr(StepLog, "update", kill_and_update)
    return lambda: left[0]

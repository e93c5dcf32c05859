"""A request to this process that the training at work save a checkpoint and stop.

It concerns all trainings of the process, which run in threads of their own, and it is final: the process ends then.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_asked = threading.Event()
_stoppable = threading.Event()


class TrainingStoppedError(Exception):
    """The training saved a checkpoint and stopped, since it was asked to."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Take requests in the block, which heeds them at the end of each step."""
    _stoppable.set()
    try:
        yield
    finally:
        _stoppable.clear()


def ask_to_stop() -> bool:
    """Ask the training at work to save and stop; whether there is one."""
    _asked.set()
    return _stoppable.is_set()


def is_asked_to_stop() -> bool:
    """Whether it was asked to."""
    return _asked.is_set()

"""A request to this process that the running training save a checkpoint and stop.

It applies to all trainings of the process, which run in separate threads, and is final: the process ends afterwards.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_requested = threading.Event()
_stoppable = threading.Event()


class TrainingStoppedError(Exception):
    """The training saved a checkpoint and stopped on request."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Accept requests in the block; its training checks for them at the end of each step."""
    _stoppable.set()
    try:
        yield
    finally:
        _stoppable.clear()


def request_stop() -> bool:
    """Request that the running training save and stop; returns whether there is one."""
    _requested.set()
    return _stoppable.is_set()


def is_stop_requested() -> bool:
    """Whether the training was requested to stop."""
    return _requested.is_set()

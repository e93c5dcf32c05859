"""The process that trains and scores for this one: one for all tasks, with the base model in its memory.

Knows that there is one; knows no cell and no record.
"""

import atexit
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from schemas.plan import StudyPlan

if TYPE_CHECKING:
    from learning.worker import BaseSpec, Job, Worker

_workers: list["Worker"] = []
"""The one, once it was asked for."""


def start_worker() -> None:
    """Let it load its libraries while other things are done."""
    _get_worker().start()


def run_job(job: "Job", on_event: Callable[[Any], None]) -> Any:
    """Have a job done; see `learning.worker.Worker.run`."""
    return _get_worker().run(job, on_event)


def close_worker() -> None:
    """End it, and free its memory; the next job starts another."""
    for worker in _workers:
        worker.close()


def base_spec(study: StudyPlan) -> "BaseSpec":
    """The base model of a study, as a job names it."""
    from learning.worker import BaseSpec

    return BaseSpec(study.base.folder, study.base.quantization, study.config.training)


def _get_worker() -> "Worker":
    from learning.worker import Worker

    if not _workers:
        _workers.append(Worker())
        atexit.register(close_worker)
    return _workers[0]

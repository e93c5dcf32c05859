"""Runs trainings and scorings in a second process, which holds the base model in memory, or on a cluster."""

import atexit
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol, cast

from schemas.plan import ModelCell

if TYPE_CHECKING:
    from learning.worker.jobs import BaseSpec, Job, Result, TravellingJob
    from learning.worker.process import Worker

_workers: list["Worker"] = []
"""The one process, once it was needed."""


class Workplace(Protocol):
    """Runs jobs in place of this machine, such as a cluster."""

    def run(self, job: "TravellingJob[Result]", title: str) -> "Result":
        """Run a job, and return its result."""

    def drop(self, cell_ids: Iterable[str], training_ids: Iterable[str]) -> None:
        """Delete the files that its machines share of these cells and trainings."""

    def give_up(self) -> None:
        """Cancel every job."""


_workplaces: list[Workplace] = []
"""The one that is used in place of the process, if any."""


@contextmanager
def working_at(workplace: Workplace) -> Iterator[None]:
    """Run the trainings and scorings of the block elsewhere."""
    _workplaces.append(workplace)
    try:
        yield
    finally:
        _workplaces.remove(workplace)


@contextmanager
def working_here() -> Iterator[None]:
    """Run the jobs of the block in a process on this machine, and free its memory at the end."""
    start_worker(for_training=True)
    try:
        yield
    finally:
        close_worker()


def run_side_by_side(works: Sequence[Callable[[], None]]) -> None:
    """Run works that use a cluster, each in a thread; if one raises, the jobs of the others are cancelled."""
    with ThreadPoolExecutor(len(works)) as pool:
        begun = [pool.submit(copy_context().run, work) for work in works]
        try:
            for done in as_completed(begun):
                done.result()
        except BaseException:
            for workplace in _workplaces:
                workplace.give_up()
            raise


def start_worker(*, for_training: bool = False) -> None:
    """Start the process, which loads its libraries in the background; those of training too if it is for training."""
    _get_worker().start(for_training=for_training)


def run_job(job: "Job[Result]", on_event: Callable[[Any], None], title: str = "") -> "Result":
    """Run a job; see `learning.worker.process.Worker.run`.

    Args:
        job: The job.
        on_event: Receives the job's events. A node of a cluster shows them itself, under the title.
        title: The work, in words.
    """
    from learning.worker.jobs import TravellingJob

    if _workplaces and isinstance(job, TravellingJob):
        return cast("Result", _workplaces[0].run(job, title))
    return _get_worker().run(job, on_event)


def close_worker() -> None:
    """End the process, and free its memory; the next job starts another."""
    for worker in _workers:
        worker.close()


def drop_shared(cell_ids: Iterable[str], training_ids: Iterable[str]) -> None:
    """Delete the files that a cluster's machines share of these cells and trainings."""
    for workplace in _workplaces:
        workplace.drop(cell_ids, training_ids)


def base_spec(cell: ModelCell) -> "BaseSpec":
    """The base model of a cell, as a job names it."""
    from learning.worker.jobs import BaseSpec

    return BaseSpec(cell.base.folder, cell.base.quantization, cell.settings.training, cell.base.revision)


def _get_worker() -> "Worker":
    from learning.worker.process import Worker

    if not _workers:
        _workers.append(Worker())
        atexit.register(close_worker)
    return _workers[0]

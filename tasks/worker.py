"""What trains and scores for this process: another one beside it, with the base model in its memory, or a cluster.

Knows that there is one; knows no cell and no record.
"""

import atexit
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from schemas.config import RunnerSettings
from schemas.plan import StudyPlan

if TYPE_CHECKING:
    from learning.worker import BaseSpec, Job, Worker
    from tasks.cluster import Cluster

_workers: list["Worker"] = []
"""The one, once it was asked for."""
_clusters: list["Cluster"] = []
"""The one that has taken its place, if any."""


@contextmanager
def having_jobs_done(runner: RunnerSettings) -> Iterator[None]:
    """Have the jobs of the block done as a study's settings say, and free what they used."""
    if runner.kind == "local":
        start_worker()
        try:
            yield
        finally:
            close_worker()
        return
    from tasks.cluster import open_cluster

    with open_cluster(runner) as cluster:
        _clusters.append(cluster)
        try:
            yield
        finally:
            _clusters.remove(cluster)


def run_side_by_side(works: Sequence[Callable[[], None]]) -> None:
    """Do works that have jobs done on a cluster, each in a thread; if one raises, the others' jobs are given up."""
    with ThreadPoolExecutor(len(works)) as pool:
        begun = [pool.submit(copy_context().run, work) for work in works]
        try:
            for done in as_completed(begun):
                done.result()
        except BaseException:
            for cluster in _clusters:
                cluster.give_up()
            raise


def start_worker() -> None:
    """Let it load its libraries while other things are done."""
    _get_worker().start()


def run_job(job: "Job", on_event: Callable[[Any], None], title: str = "") -> Any:
    """Have a job done; see `learning.worker.Worker.run`.

    Args:
        job: What is to be done.
        on_event: Is given what the job tells on its way. A node of a cluster shows that by itself, under the title.
        title: What is done, for people.
    """
    from learning.worker import ScoringJob, TrainingJob

    if _clusters and isinstance(job, ScoringJob | TrainingJob):
        return _clusters[0].run(job, title)
    return _get_worker().run(job, on_event)


def close_worker() -> None:
    """End it, and free its memory; the next job starts another."""
    for worker in _workers:
        worker.close()


def drop_shared(cell_ids: Iterable[str], training_ids: Iterable[str]) -> None:
    """Delete what a cluster's machines shared of these cells and trainings."""
    for cluster in _clusters:
        cluster.drop(cell_ids, training_ids)


def base_spec(study: StudyPlan) -> "BaseSpec":
    """The base model of a study, as a job names it."""
    from learning.worker import BaseSpec

    return BaseSpec(study.base.folder, study.base.quantization, study.config.training, study.base.revision)


def _get_worker() -> "Worker":
    from learning.worker import Worker

    if not _workers:
        _workers.append(Worker())
        atexit.register(close_worker)
    return _workers[0]

"""The Ray cluster that trains and scores for this process: its connection, the resources of a cell, the loss of a node.

Adapters and checkpoints travel through shared storage, results through Prefect. Results are recorded in this
process, not on a node.
"""

import logging
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from embedded.paths import MODEL_FOLDER
from operations.worker import working_at, working_here
from schemas.errors import InputError
from schemas.runner import RunnerSettings
from storage.home import Home
from tasks.cells import RunEndedError
from tasks.progress import announce

if TYPE_CHECKING:
    from prefect_ray import RayTaskRunner
    from prefect_ray.task_runners import PrefectRayFuture
    from ray.exceptions import RayError

    from learning.training.shared_storage import SharedStorage
    from learning.worker.jobs import Result, TravellingJob


PATIENCE = 5.0
"""Seconds that a cluster may take to answer."""

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
"""The colours in what Ray says."""


class RunnerError(InputError):
    """The runner of a study cannot work."""


def check_runner(settings: RunnerSettings) -> None:
    """Check, before anything starts, what a runner needs on this machine.

    Raises:
        RunnerError: Ray is not installed, there is no Prefect server, or nothing answers at the cluster's address.
    """
    from prefect.settings import PREFECT_API_URL

    if settings.kind == "local":
        return
    if find_spec("prefect_ray") is None:
        raise RunnerError("runner.kind = ray: Ray is not installed; pip install 'fintone[ray]', here and on every node")
    if not PREFECT_API_URL.value():
        raise RunnerError(
            "runner.kind = ray: needs a Prefect server that every node reaches; start one with `prefect server start` "
            "and set PREFECT_API_URL"
        )
    if settings.address is not None and (reason := _knock(settings.address)):
        raise RunnerError(
            f"runner.address = {settings.address}: no Ray cluster answers ({reason}); give HOST:PORT of one that "
            "`ray start --head` started"
        )


def _knock(address: str) -> str | None:
    """Why no connection is possible, if none is: Ray itself would try for minutes, and report each attempt."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return "it has no port"
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except (OSError, OverflowError) as error:
        return str(error)
    return None


@contextmanager
def dispatching_jobs(settings: RunnerSettings) -> Iterator[None]:
    """Run the jobs of the block where a study's settings say, and free what they used."""
    if settings.kind == "local":
        with working_here():
            yield
        return
    with open_cluster(settings) as cluster, working_at(cluster):
        yield


@contextmanager
def open_cluster(settings: RunnerSettings) -> Iterator["Cluster"]:
    """Connect to the cluster for the length of the block; one that was started for it ends with it.

    Raises:
        RunnerError: It cannot be reached, or its machines share no storage.
        SharedStorageError: The storage cannot be written to.
    """
    check_runner(settings)
    from prefect_ray import RayTaskRunner

    quiet = {"log_to_driver": False, "logging_level": logging.WARNING}
    runner: RayTaskRunner[Any] = RayTaskRunner(address=settings.address, init_kwargs=quiet)
    with runner:
        yield _make_cluster(runner, settings)


def _make_cluster(runner: "RayTaskRunner[Any]", settings: RunnerSettings) -> "Cluster":
    """The cluster behind a runner, with the resources that a cell requests and the shared storage."""
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]
    gpus = settings.gpus_per_cell
    if gpus is None:
        gpus = 1.0 if any(node["Resources"].get("GPU") for node in nodes) else 0.0
    needs = {"CPU": settings.cpus_per_cell, "GPU": gpus}
    if not any(all(node["Resources"].get(name, 0) >= need for name, need in needs.items()) for node in nodes):
        announce(
            f"no node of the Ray cluster has {needs['CPU']} CPU and {gpus:g} GPU for a cell yet: cells wait for one"
        )
    storage = find_storage(settings, {node["NodeManagerHostname"] for node in nodes})
    storage.check()
    announce(f"Ray cluster, nodes: {len(nodes)}; {needs['CPU']} CPU and {gpus:g} GPU a cell, storage {storage.address}")
    return Cluster(runner, storage, {"num_cpus": settings.cpus_per_cell, "num_gpus": gpus}, settings.address)


def find_storage(settings: RunnerSettings, machines: Iterable[str]) -> "SharedStorage":
    """The storage that a study's machines share: as set, or a folder of the home if this machine is the only one.

    Raises:
        RunnerError: No storage is set, and there are other machines.
    """
    from learning.training.shared_storage import SharedStorage

    others = sorted({*machines} - {socket.gethostname()})
    if settings.storage is None and others:
        raise RunnerError(
            f"runner.storage is not set, and the Ray cluster has other machines ({', '.join(others)}): name a folder "
            "that all of them share, or an fsspec address such as s3://BUCKET/FOLDER"
        )
    return SharedStorage(settings.storage or str(Home.from_environment().root.absolute() / "shared"))


class Cluster:
    """Runs jobs on the nodes. Any number of threads may wait for their jobs."""

    def __init__(
        self, runner: "RayTaskRunner[Any]", storage: "SharedStorage", options: dict[str, float], address: str | None
    ) -> None:
        """Run jobs through `runner`, each with the resources in `options`, as Ray names them.

        The address is None for a cluster that ends with this process.
        """
        self.storage = storage
        self._runner, self._options, self._address = runner, options, address
        self._futures: set[PrefectRayFuture[Any]] = set()
        self._turn = threading.Lock()
        self._is_cancelled = False
        self._stored: set[str] = set()
        """Cells whose adapter on the storage is the one in the home."""

    def run(self, job: "TravellingJob[Result]", title: str) -> "Result":
        """Run a job on a node, and return its result.

        Args:
            job: The job; a training has one adapter, which is in its folder afterwards.
            title: What is done, for people.

        Raises:
            InputError: The input of the job is unfit, or not on the node.
            FailureError: The job failed, as in `learning.worker.process.Worker.run`.
            WorkerDiedError: The node or the process there ended.
            NodeError: The node lacks fintone, or something that it needs.
            RunnerError: The whole cluster ended.
            AdapterError: The adapter on the storage is not the one that the node trained.
            RunEndedError: The job was cancelled.
        """
        job.send(self.storage, self._stored)
        result = self._wait(job, title)
        job.receive(self.storage, self._stored, result)
        return result

    def drop(self, cell_ids: Iterable[str], training_ids: Iterable[str]) -> None:
        """Delete the adapters and the checkpoints of these cells and trainings from the storage."""
        from learning.training.shared_storage import drop_folder

        dropped = set(cell_ids)
        self._stored -= dropped
        addresses = [self.storage.adapter(cell_id) for cell_id in dropped]
        for address in (*addresses, *(self.storage.checkpoints(training).address for training in training_ids)):
            drop_folder(address)

    def give_up(self) -> None:
        """Cancel every job; no sealed checkpoint or adapter is lost."""
        import ray

        with self._turn:
            self._is_cancelled = True
            for future in self._futures:
                ray.cancel(future.wrapped_future, force=True)

    def _wait(self, job: "TravellingJob[Result]", title: str) -> "Result":
        from ray.exceptions import RayError

        future = self._submit(job, title)
        try:
            return cast("Result", future.result())
        except RayError as error:
            if self._is_cancelled:
                raise RunEndedError("the run ended before it was done") from None
            explained = self._explain(error)
            _record_crash(future.task_run_id, str(explained))
            raise explained from None
        finally:
            with self._turn:
                self._futures.discard(future)

    def _explain(self, error: "RayError") -> Exception:
        """What an error of Ray's means: the cluster is gone, a node lacks a module, or a worker was lost."""
        from ray.exceptions import RayTaskError

        from learning.worker.process import WorkerDiedError
        from tasks.node import NodeError

        if self._address is not None and (reason := _knock(self._address)):
            return RunnerError(
                f"runner.address = {self._address}: the Ray cluster does not answer any more ({reason}); start it "
                "again, and the same command continues"
            )
        lines = [line for line in _ANSI.sub("", str(error)).splitlines() if line.strip()]
        if not isinstance(error, RayTaskError):
            return WorkerDiedError(f"its Ray worker was lost: {lines[0]}")
        cause = lines[-1]  # above it are the node's process and its traceback
        if cause.startswith(("ModuleNotFoundError", "ImportError")):
            return NodeError(f"a node of the Ray cluster cannot load fintone ({cause}); install this version there")
        return WorkerDiedError(f"its Ray worker was lost: {cause}")

    def _submit(self, job: "TravellingJob[Result]", title: str) -> "PrefectRayFuture[Result]":
        """Submit the job to Ray, which does not retry it: the task that runs it does, and counts the attempts."""
        from prefect_ray.context import remote_options

        from tasks.node import do_job

        base = replace(job.base, folder=job.base.folder.absolute())
        parameters = {
            "job": replace(job, base=base),
            "title": title,
            "storage": self.storage,
            "is_embedded": base.folder == MODEL_FOLDER,
        }
        with self._turn, remote_options(max_retries=0, **self._options):
            if self._is_cancelled:
                raise RunEndedError("the run ended before it began")
            future = self._runner.submit(do_job, parameters)
            self._futures.add(future)
        return future


def _record_crash(task_run_id: UUID, reason: str) -> None:
    """Report to Prefect's server a task run that ended with its node and cannot report this itself.

    The server does not know a run that had not begun, or that its node could not load.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
    from prefect.states import Crashed

    try:
        with get_client(sync_client=True) as client:
            client.set_task_run_state(task_run_id, Crashed(message=reason), force=True)
    except ObjectNotFound:
        return
    except PrefectHTTPStatusError as error:
        if error.response.status_code != HTTPStatus.NOT_FOUND:
            raise

"""What runs on a node of a cluster: one training or scoring, its files on the node's own disk and on shared storage.

Opens no warehouse and no home: what it finds out is the task's result, and the process of the flow records it.
"""

import socket
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from prefect import task

from operations.worker import run_job
from schemas.errors import InputError
from tasks.progress import JobProgress

if TYPE_CHECKING:
    from learning.models.model_files import ModelFiles
    from learning.training.shared_storage import SharedStorage
    from learning.worker.process import BaseSpec, PlannedTraining, ScoringJob, TrainingJob


class NodeError(InputError):
    """A node lacks what every node must have."""


@task(task_run_name="{title}, on a node")
def do_job(job: "TrainingJob | ScoringJob", title: str, storage: "SharedStorage", *, is_embedded: bool) -> Any:
    """Do a job here: a scoring, or a training of one adapter; see `learning.worker.process` for what it gives.

    A training goes on from the checkpoints on the storage, keeps them up to date, and leaves its adapter there. A
    scoring takes its adapter from there.

    Args:
        job: Its folders are those of the flow's machine; only what they are named matters here.
        title: What is done, for people.
        storage: Where adapters and checkpoints are.
        is_embedded: The base model is the one that ships with fintone, wherever that lies here.

    Raises:
        InputError: The base model is not here, or something else that the job needs.
    """
    from learning.training.shared_storage import put_folder
    from learning.worker.process import TrainingJob

    with TemporaryDirectory() as scratch:
        here = replace(_move(job, storage, Path(scratch)), base=_find_base(job.base, is_embedded=is_embedded))
        progress = JobProgress(title, _count_headlines(here))
        result = run_job(here, lambda event: progress.update(event[1] if isinstance(event, tuple) else event), title)
        if isinstance(here, TrainingJob):
            [training] = here.trainings
            put_folder(training.adapter_folder, storage.adapter(training.adapter_folder.name))
    return result


def _move(job: Any, storage: "SharedStorage", scratch: Path) -> Any:
    """The job with its folders under `scratch`, filled from the storage."""
    from learning.training.shared_storage import get_folder
    from learning.worker.process import TrainingJob

    if isinstance(job, TrainingJob):
        [training] = job.trainings
        return replace(job, trainings=(_move_training(training, storage, scratch),))
    if job.adapter_folder is None:
        return job
    adapter = scratch / job.adapter_folder.name
    get_folder(storage.adapter(adapter.name), adapter)
    return replace(job, adapter_folder=adapter)


def _move_training(training: "PlannedTraining", storage: "SharedStorage", scratch: Path) -> "PlannedTraining":
    assert training.store is not None
    mirror, root = storage.checkpoints(training.store.training_id), scratch / "checkpoints"
    mirror.fetch(root)
    store = replace(training.store, root=root, mirror=mirror)
    return replace(training, adapter_folder=scratch / training.adapter_folder.name, store=store)


def _count_headlines(job: Any) -> int:
    """Of a scoring; a training tells how many steps it takes."""
    return sum(len(part.texts) for part in getattr(job, "parts", ()))


def _find_base(base: "BaseSpec", *, is_embedded: bool) -> "BaseSpec":
    from embedded.paths import MODEL_FOLDER
    from learning.models.base_model import check_model_folder

    if is_embedded:
        return replace(base, folder=MODEL_FOLDER)
    if not base.folder.is_dir():
        raise NodeError(
            f"base model {base.folder}: is not on the node {socket.gethostname()}; put it on storage that all machines "
            "share, or at the same path on each"
        )
    files = check_model_folder(base.folder)
    stamps = tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files.hashed)
    if base.folder.name != base.revision and _hash_once(files, stamps) != base.revision:
        raise NodeError(
            f"base model {base.folder}: on the node {socket.gethostname()} it is another than the study's "
            f"({base.revision}); copy the study's folder there"
        )
    return base


@cache
def _hash_once(files: "ModelFiles", stamps: tuple[tuple[str, int, int], ...]) -> str:  # noqa: ARG001 (they are the key)
    """The revision of a base, computed again only where its files have changed: each cell is a job of its own."""
    return files.revision

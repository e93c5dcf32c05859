"""What runs on a node of a cluster: one training or scoring, its files on the node's own disk and on shared storage.

It opens no warehouse and no home: the process of the flow records the result of the task.
"""

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from prefect import task

from operations.worker import run_job
from schemas.errors import InputError
from schemas.files import temporary_folder
from tasks.progress import JobProgress
from tasks.user_errors import print_in_one_line

if TYPE_CHECKING:
    from learning.training.shared_storage import SharedStorage
    from learning.worker.jobs import BaseSpec, Result, TravellingJob


class NodeError(InputError):
    """A node lacks what every node must have."""


@task(task_run_name="{title}, on a node")
def do_job(job: "TravellingJob[Result]", title: str, storage: "SharedStorage", *, is_embedded: bool) -> "Result":
    """Run a job on this node: a scoring, or a training of one adapter; see `learning.worker.jobs` for its result.

    A training resumes from the checkpoints on the storage, keeps them up to date, and leaves its adapter there. A
    scoring takes its adapter from there.

    Args:
        job: Its folders are those of the flow's machine; only their names matter here.
        title: What is done, for people.
        storage: Where adapters and checkpoints are.
        is_embedded: The base model is the one that ships with fintone, wherever that is on this node.

    Raises:
        InputError: The base model, or something else that the job needs, is not on this node.
    """
    print_in_one_line()
    with temporary_folder() as scratch:
        here = replace(job.arrive(storage, scratch), base=_find_base(job.base, is_embedded=is_embedded))
        progress = JobProgress(title, here.headlines_to_score)
        result = run_job(here, lambda event: progress.update(here.progress_of(event)), title)
        here.leave(storage)
    return result


def _find_base(base: "BaseSpec", *, is_embedded: bool) -> "BaseSpec":
    from embedded.paths import EMBEDDED, MODEL_FOLDER
    from learning.kinds.resolution import check_folder

    if is_embedded:
        if check_folder(MODEL_FOLDER) != base.revision:
            raise NodeError(
                f"base model {EMBEDDED}: on the node {socket.gethostname()} it differs from the study's "
                f"({base.revision}); install the same fintone there"
            )
        return replace(base, folder=MODEL_FOLDER)
    if not base.folder.is_dir():
        raise NodeError(
            f"base model {base.folder}: is not on the node {socket.gethostname()}; put it on storage that all machines "
            "share, or at the same path on each"
        )
    if base.folder.name != base.revision and check_folder(base.folder) != base.revision:
        raise NodeError(
            f"base model {base.folder}: on the node {socket.gethostname()} it differs from the study's "
            f"({base.revision}); copy the study's folder there"
        )
    return base

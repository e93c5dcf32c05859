"""What the tasks of a cell have in common: its locks, and its status in the warehouse."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed

from schemas.errors import FailureError, InputError
from schemas.plan import CellPlan
from storage.home import Home
from tasks.progress import announce, note

INTERRUPTED = "interrupted by Ctrl-C or by a signal to end"
"""The reason that is recorded for a cell that was running."""


class RunEndedError(BaseException):
    """A job was cancelled because the run ends. Like an interruption, it is no error of the job and is not retried."""


@contextmanager
def locking(cells: Iterable[CellPlan], training_ids: Iterable[str] = ()) -> Iterator[None]:
    """Lock the cells and their trainings in the block; waits for other processes that work on them.

    What is left to do must be checked within the block. Every process takes locks in the same order, trainings first:
    no two wait for each other.
    """
    from storage.locks import holding

    warehouse = Home.from_environment().warehouse
    with ExitStack() as locks:
        for training_id in sorted(training_ids):
            locks.enter_context(holding(warehouse, "training", training_id))
        for cell_id in sorted(cell.cell_id for cell in cells):
            locks.enter_context(holding(warehouse, "cell", cell_id))
        yield


@contextmanager
def running(cell: CellPlan, position: str = "") -> Iterator[None]:
    """Record that the cell is running in the block, which finishes it, or that it failed if the block raises."""
    from storage.cell_progress import fail_cell, start_cell

    warehouse = Home.from_environment().warehouse
    start_cell(warehouse, cell.cell_id)
    note(f"{position}{cell.name} begins", cell=cell.name, state="running")
    try:
        yield
    except Exception as error:
        fail_cell(warehouse, cell.cell_id, _announce_death(cell, position, error))
        raise
    except BaseException as error:
        reason = str(error) if isinstance(error, RunEndedError) else INTERRUPTED
        fail_cell(warehouse, cell.cell_id, reason, "interrupted")
        raise


@contextmanager
def evaluating(cell: CellPlan, position: str = "") -> Iterator[None]:
    """Record why a trained cell has no evaluation if the block raises; it stays trained."""
    from storage.cell_progress import explain_unevaluated

    warehouse = Home.from_environment().warehouse
    try:
        yield
    except Exception as error:
        explain_unevaluated(warehouse, cell.cell_id, f"not evaluated: {_announce_death(cell, position, error)}")
        raise
    explain_unevaluated(warehouse, cell.cell_id, None)


def _announce_death(cell: CellPlan, position: str, error: Exception) -> str:
    """Announce that the work on a cell ended in an error, and return the reason."""
    reason = str(error) if isinstance(error, InputError | FailureError) else f"{type(error).__name__}: {error}"
    reason = reason.removesuffix(": ")
    announce(f"{position}{cell.name} died: {reason}", cell=cell.name, state="failed", result="died")
    return reason


def skipped(cell: CellPlan, reason: str) -> State[None]:
    """Announce that a task has nothing to do for a cell, and return the task's state."""
    announce(f"{cell.name}: nothing to do, {reason}", cell=cell.name, state="done", result="there already")
    return Completed(name="Skipped", message=f"Nothing to do: {reason}.")


def is_worth_a_retry(_: Any, __: Any, state: State[Any]) -> bool:
    """Whether a failed task may succeed at once: not if its input is at fault, or memory is too small."""
    try:
        state.result()
    except (InputError, FailureError) as error:
        from learning.worker.process import JobFailedError, WorkerDiedError

        return isinstance(error, JobFailedError | WorkerDiedError)
    except Exception:  # noqa: BLE001 (any other error may be temporary)
        return True
    return False

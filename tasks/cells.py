"""What the tasks of a cell have in common: nobody else works on it meanwhile, and the warehouse knows how it is."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed

from schemas.errors import FailureError, InputError
from schemas.plan import CellPlan
from tasks.progress import announce, note

INTERRUPTED = "interrupted by Ctrl-C or by a signal to end"
"""The reason of a cell that was at work then."""


class RunEndedError(BaseException):
    """A job was given up since the run ends. Like an interruption it is no error of the job, and nothing retries it."""


@contextmanager
def alone(cells: Iterable[CellPlan], training_ids: Iterable[str] = ()) -> Iterator[None]:
    """No other process works on the cells in the block, nor on their trainings: it waits, and looks again what is left.

    Every process takes locks in the same order, trainings first, so that no two wait for each other.
    """
    from storage.home import Home
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
    """The cell is running in the block, which finishes it; failed with the reason if the block raises."""
    from storage.cell_progress import fail_cell, start_cell
    from storage.home import Home

    warehouse = Home.from_environment().warehouse
    start_cell(warehouse, cell.cell_id)
    note(f"{position}{cell.name} begins", cell=cell.name, state="running")
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception):
            reason = str(error) if isinstance(error, RunEndedError) else INTERRUPTED
            fail_cell(warehouse, cell.cell_id, reason, "interrupted")
            raise
        told = str(error) if isinstance(error, InputError | FailureError) else f"{type(error).__name__}: {error}"
        told = told.removesuffix(": ")
        fail_cell(warehouse, cell.cell_id, told)
        announce(f"{position}{cell.name} died: {told}", cell=cell.name, state="failed", result="died")
        raise


def skipped(cell: CellPlan, reason: str) -> State[None]:
    """The state of a task that has nothing to do for a cell, which it tells."""
    announce(f"{cell.name}: nothing to do, {reason}", cell=cell.name, state="done", result="there already")
    return Completed(name="Skipped", message=f"Nothing to do: {reason}.")


def is_worth_a_retry(_: Any, __: Any, state: State[Any]) -> bool:
    """Whether a task that failed may do better at once: not where its input is at fault, or memory is too small."""
    try:
        state.result()
    except (InputError, FailureError) as error:
        from learning.worker.process import JobFailedError, WorkerDiedError

        return isinstance(error, JobFailedError | WorkerDiedError)
    except Exception:  # noqa: BLE001 (whatever else it was may pass)
        return True
    return False

"""Tasks are tried again only where that may help."""

import pytest
from prefect.client.schemas.objects import State
from prefect.states import exception_to_failed_state
from prefect.utilities.asyncutils import run_coro_as_sync

from learning.worker.process import JobFailedError, WorkerDiedError
from operations.missing import NothingTrainedError
from schemas.errors import InputError
from storage.champions import ChampionChangedError
from tasks.promotion import judge_challenger
from tasks.training import train_cell

TEMPORARY = (WorkerDiedError("killed"), JobFailedError("a bug"), OSError("no route to host"))
LASTING = (InputError("no such file"), NothingTrainedError("nothing is evaluated"))


def fail(error: Exception) -> State[None]:
    """The state of a task that raised this error."""
    state = run_coro_as_sync(exception_to_failed_state(error))
    assert state
    return state


@pytest.mark.parametrize("error", TEMPORARY)
def test_a_failure_that_may_be_temporary_is_tried_again(error: Exception) -> None:
    for task in (train_cell, judge_challenger):
        assert task.retry_condition_fn
        assert task.retry_condition_fn(task, None, fail(error))


@pytest.mark.parametrize("error", LASTING)
def test_a_failure_that_stays_is_not_tried_again(error: Exception) -> None:
    for task in (train_cell, judge_challenger):
        assert task.retry_condition_fn
        assert not task.retry_condition_fn(task, None, fail(error))


def test_a_judgement_is_made_again_after_another_decision() -> None:
    assert judge_challenger.retry_condition_fn
    assert judge_challenger.retry_condition_fn(judge_challenger, None, fail(ChampionChangedError("another was made")))

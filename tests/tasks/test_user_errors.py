"""What Prefect logs of an error: one line if a person can correct it, the traceback if it is a bug."""

import logging

import pytest
from prefect.exceptions import ParameterTypeError

from learning.worker.process import JobFailedError
from schemas.errors import FailureError, InputError
from tasks.user_errors import OneLine, print_in_one_line


def log(error: Exception, times: int = 1) -> list[tuple[str, bool]]:
    """The text of each record that is let through, and whether it has a traceback."""
    one_line, seen = OneLine(), []
    for _ in range(times):
        try:
            raise error
        except type(error) as caught:
            info = (type(caught), caught, caught.__traceback__)
            record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed with %r", (caught,), info)
        if one_line.filter(record):
            seen.append((record.getMessage(), bool(record.exc_info)))
    return seen


@pytest.mark.parametrize("kind", [InputError, FailureError])
def test_an_error_with_a_remedy_is_logged_once_and_in_one_line(kind: type[Exception]) -> None:
    assert log(kind("source 'a.csv' does not exist:\x1b 100 %"), times=3) == [
        ("source 'a.csv' does not exist:\\x1b 100 %", False)
    ]


def test_parameters_that_a_flow_cannot_take_are_logged_in_one_line() -> None:
    error = ParameterTypeError("Flow run received invalid parameters:\n - a: is 1\n - b: is 2")
    assert log(error) == [("Flow run received invalid parameters: - a: is 1 - b: is 2", False)]


def test_a_bug_keeps_its_traceback_even_if_another_process_had_it() -> None:
    assert log(ValueError("bug"), times=2) == [("failed with ValueError('bug')", True)] * 2
    error = JobFailedError("ValueError: bug")
    error.add_note("Traceback of the training process")
    [(_, has_traceback)] = log(error)
    assert has_traceback


def test_the_filter_is_set_up_once() -> None:
    print_in_one_line()
    print_in_one_line()
    filters = logging.getLogger("prefect.task_runs").filters
    assert len([each for each in filters if isinstance(each, OneLine)]) == 1

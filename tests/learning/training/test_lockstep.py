"""Parties in lockstep: shared work is done once for all that remain, and the first error ends all of them."""

import threading
from collections.abc import Callable, Mapping

import pytest

from learning.training.lockstep import Lockstep


def double(inputs: Mapping[str, int]) -> dict[str, int]:
    return {party: 2 * value for party, value in inputs.items()}


def test_work_is_done_once_with_the_inputs_of_all_that_have_not_ended() -> None:
    lockstep, seen, received = Lockstep("abc"), list[dict[str, int]](), dict[str, list[int]]()

    def work(inputs: Mapping[str, int]) -> dict[str, int]:
        seen.append(dict(inputs))
        return double(inputs)

    def meet(party: str, times: int) -> Callable[[], None]:
        def body() -> None:
            received[party] = [lockstep.meet(party, number, work) for number in range(times)]

        return body

    lockstep.run({"a": meet("a", 1), "b": meet("b", 3), "c": meet("c", 2)})
    assert seen == [{"a": 0, "b": 0, "c": 0}, {"b": 1, "c": 1}, {"b": 2}]
    assert received == {"a": [0], "b": [0, 2, 4], "c": [0, 2]}


def test_the_first_error_reaches_every_party_and_is_the_one_that_is_raised() -> None:
    lockstep = Lockstep("ab")

    def fail() -> None:
        lockstep.meet("a", 1, double)
        raise ValueError("first")

    def fail_too() -> None:
        lockstep.meet("b", 1, double)
        try:
            lockstep.meet("b", 2, double)
        except ValueError as error:
            raise RuntimeError("second") from error

    with pytest.raises(ValueError, match="first"):
        lockstep.run({"a": fail, "b": fail_too})
    ended: list[str] = []
    lockstep.run({"a": lambda: ended.append("a")})  # the error is not kept
    assert ended == ["a"]


def test_after_an_error_no_party_begins() -> None:
    lockstep, begun = Lockstep("ab"), list[str]()

    def fail() -> None:
        begun.append("a")
        raise ValueError("first")

    def wait() -> None:
        begun.append("b")
        lockstep.meet("b", 1, double)

    with pytest.raises(ValueError, match="first"):
        lockstep.run({"a": fail, "b": wait})
    assert begun in (["a"], ["b", "a"])  # whichever thread is first


def test_an_error_of_the_work_reaches_every_party() -> None:
    lockstep, reached = Lockstep("ab"), list[str]()

    def work(inputs: Mapping[str, int]) -> dict[str, int]:
        raise ZeroDivisionError(inputs)

    def meet(party: str) -> Callable[[], None]:
        def body() -> None:
            try:
                lockstep.meet(party, 1, work)
            except ZeroDivisionError:
                reached.append(party)
                raise

        return body

    with pytest.raises(ZeroDivisionError):
        lockstep.run({party: meet(party) for party in "ab"})
    assert sorted(reached) == ["a", "b"]


def test_a_single_party_runs_in_the_calling_thread() -> None:
    threads: list[threading.Thread] = []
    Lockstep("a").run({"a": lambda: threads.append(threading.current_thread())})
    assert threads == [threading.current_thread()]

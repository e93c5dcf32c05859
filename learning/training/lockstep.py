"""Lockstep: several trainings, each in a thread; one runs at a time, and some work is done for all together.

Trainers share the global state of a process: random numbers, the state of accelerate, warnings. So only one of them
runs at a time, until it waits for the others.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any


class Lockstep:
    """Parties that advance together: shared work is done once each remaining party has given its input."""

    def __init__(self, parties: Iterable[Hashable]) -> None:
        """Begin with these parties."""
        self._parties = set(parties)
        self._turn = threading.Condition(threading.RLock())
        self._inputs: dict[Hashable, Any] = {}
        self._results: dict[Hashable, Any] = {}
        self._work: Callable[[Mapping[Any, Any]], Mapping[Any, Any]] | None = None
        self._error: BaseException | None = None

    def run(self, bodies: Mapping[Hashable, Callable[[], None]]) -> None:
        """Run a body for each party; once all have ended, raise the first error of any.

        A single party runs in the calling thread.
        """
        if len(bodies) == 1:
            for party, body in bodies.items():
                self._live(party, body)
        else:
            threads = [threading.Thread(target=self._live, args=(party, body)) for party, body in bodies.items()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        error, self._error = self._error, None  # its traceback refers to the objects of the trainings
        if error is not None:
            raise error

    def meet(self, party: Hashable, value: Any, work: Callable[[Mapping[Any, Any]], Mapping[Any, Any]]) -> Any:
        """Wait until all parties have given their input, let the work be done once, and return the party's result.

        Args:
            party: The calling party.
            value: Its input.
            work: The same for all parties: takes the inputs by party, and returns a result for each.

        Raises:
            BaseException: An error of a party or of the work; every other party raises it too.
        """
        with self._turn:
            self._inputs[party], self._work = value, work
            self._work_if_complete()
            self._turn.wait_for(lambda: party in self._results or self._error is not None)
            if self._error is not None:
                raise self._error
            return self._results.pop(party)

    def _live(self, party: Hashable, body: Callable[[], None]) -> None:
        with self._turn:
            try:
                if self._error is None:
                    body()
            except BaseException as error:  # noqa: BLE001 (raised again by `run`)
                self._error = self._error or error
            self._parties.discard(party)
            self._work_if_complete()
            self._turn.notify_all()

    def _work_if_complete(self) -> None:
        """Do the work if every remaining party has given its input; the last one to do so, or to leave, does it."""
        if self._work is None or not self._parties or self._inputs.keys() != self._parties or self._error is not None:
            return
        inputs, work = self._inputs, self._work
        self._inputs, self._work = {}, None
        try:
            self._results.update(work(inputs))
        except BaseException as error:  # noqa: BLE001 (every party raises it)
            self._error = error
        self._turn.notify_all()

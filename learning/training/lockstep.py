"""Lockstep: several trainings, each in a thread; one runs at a time, and some work is done for all at once.

Trainers share the global state of a process: random numbers, the state of accelerate, warnings. So only one of them
runs, until it waits for the others.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any


class Lockstep:
    """Parties that advance together: a work is done once each remaining party has given its part."""

    def __init__(self, parties: Iterable[Hashable]) -> None:
        """Wait for all of these."""
        self._parties = set(parties)
        self._turn = threading.Condition(threading.RLock())
        self._given: dict[Hashable, Any] = {}
        self._results: dict[Hashable, Any] = {}
        self._work: Callable[[Mapping[Any, Any]], Mapping[Any, Any]] | None = None
        self._error: BaseException | None = None

    def run(self, bodies: Mapping[Hashable, Callable[[], None]]) -> None:
        """Run a body for each party, and raise what the first of them raised once all have ended.

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
        error, self._error = self._error, None  # whose traceback holds what was at work
        if error is not None:
            raise error

    def meet(self, party: Hashable, given: Any, work: Callable[[Mapping[Any, Any]], Mapping[Any, Any]]) -> Any:
        """Wait until all have given their part, have the work done once, and return the party's own result.

        Args:
            party: The party that gives its part.
            given: Its part.
            work: The same for all parties: takes the parts by party, and returns a result for each.

        Raises:
            BaseException: What a party or the work raised; every other party raises it too.
        """
        with self._turn:
            self._given[party], self._work = given, work
            self._work_if_all_gave()
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
            self._work_if_all_gave()
            self._turn.notify_all()

    def _work_if_all_gave(self) -> None:
        """Do the work if no other party is to come; the last one to give or to leave does it."""
        if self._work is None or not self._parties or self._given.keys() != self._parties or self._error is not None:
            return
        given, work = self._given, self._work
        self._given, self._work = {}, None
        try:
            self._results.update(work(given))
        except BaseException as error:  # noqa: BLE001 (every party raises it)
            self._error = error
        self._turn.notify_all()

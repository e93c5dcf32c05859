"""Watches how the answers of a scoring drift from the model's own test part, at intervals and at its end."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.scoring import Drift

SECONDS_BETWEEN_LOOKS = 60.0
"""For a stream: each look reads all of its answers."""


class DriftWatch:
    """Reports drift beyond a tolerance when another measure drifts, and at the end; only the former sends an event."""

    def __init__(
        self,
        warehouse: Path,
        tolerance: float,
        notify: Callable[[str], None],
        send: Callable[[str, Sequence[Drift]], None] = lambda *_: None,
    ) -> None:
        """Begin.

        Args:
            warehouse: The DuckDB file.
            tolerance: The largest difference that is not reported.
            notify: Receives a line.
            send: Receives the scoring's id and all measures that drifted, when at least one of them is new.
        """
        self._warehouse, self._tolerance, self._notify, self._send = warehouse, tolerance, notify, send
        self._looked_at = time.monotonic()
        self._sent: set[str] = set()

    def look(self, scoring_id: str) -> None:
        """Look if it is time to, and report drift if another measure has drifted."""
        if time.monotonic() - self._looked_at >= SECONDS_BETWEEN_LOOKS:
            self._looked_at = time.monotonic()
            drifts = self._load(scoring_id)
            if {drift.measure for drift in self._drifted(drifts)} - self._sent:
                self._report(scoring_id, drifts)

    def end(self, scoring_id: str) -> list[Drift]:
        """Report all drift, or why it cannot be measured, and return every measure."""
        drifts = self._load(scoring_id)
        self._report(scoring_id, drifts)
        return drifts

    def _report(self, scoring_id: str, drifts: Sequence[Drift]) -> None:
        from reporting.verdict import describe_drift

        for line in describe_drift(drifts, self._tolerance):
            self._notify(line)
        drifted = self._drifted(drifts)
        if {drift.measure for drift in drifted} - self._sent:
            self._sent |= {drift.measure for drift in drifted}
            self._send(scoring_id, drifted)

    def _drifted(self, drifts: Sequence[Drift]) -> list[Drift]:
        return [drift for drift in drifts if drift.exceeds(self._tolerance)]

    def _load(self, scoring_id: str) -> list[Drift]:
        from storage.scores import load_drift

        return load_drift(self._warehouse, scoring_id)

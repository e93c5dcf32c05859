"""Analysts read the warehouse while a study writes it: nobody fails, and nobody who asks fintone waits for the study.

How long `fintone sql` takes with its start is measured by `benchmarks.readers`: it depends on the machine.
"""

from pathlib import Path

import pytest

from benchmarks.readers import OF_EACH, PAUSE, run_crowded

MOST_SECONDS = 2.0


@pytest.mark.slow
def test_a_study_and_those_who_read_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Two cores do for it, if nothing else is at work on them."""
    crowd = run_crowded(tmp_path, PAUSE)
    assert crowd.errors == []
    assert {kind: bool(crowd.latencies[kind].seconds) for kind in OF_EACH} == dict.fromkeys(OF_EACH, True)
    assert crowd.latencies["storage.query"].seconds[-1] < MOST_SECONDS


@pytest.mark.slow
def test_readers_who_hardly_pause_wait_for_the_processor_and_not_for_the_study(tmp_path: Path) -> None:
    """Starting a command takes longer the more processes share a core; what is asked within one does not."""
    crowd = run_crowded(tmp_path, PAUSE / 5)
    assert crowd.errors == []
    assert crowd.latencies["storage.query"].seconds[-1] < MOST_SECONDS

"""Analysts read the warehouse while a study writes it: nothing fails, and no query of fintone waits for the study.

The time of `fintone sql` with its start depends on the machine; `benchmarks.readers` measures it.
"""

from pathlib import Path

import pytest

from benchmarks.readers import OF_EACH, PAUSE, run_crowded

MOST_SECONDS = 2.0


@pytest.mark.slow
def test_a_study_and_its_readers_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Two cores are enough if nothing else runs on them."""
    crowd = run_crowded(tmp_path, PAUSE)
    assert crowd.errors == []
    assert {kind: bool(crowd.latencies[kind].seconds) for kind in OF_EACH} == dict.fromkeys(OF_EACH, True)
    assert crowd.latencies["storage.query"].seconds[-1] < MOST_SECONDS


@pytest.mark.slow
def test_readers_who_hardly_pause_wait_for_the_processor_and_not_for_the_study(tmp_path: Path) -> None:
    """The more processes share a core, the longer a command takes to start, but not a query within a process."""
    crowd = run_crowded(tmp_path, PAUSE / 5)
    assert crowd.errors == []
    assert crowd.latencies["storage.query"].seconds[-1] < MOST_SECONDS

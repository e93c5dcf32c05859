"""Analysts read the warehouse while a study writes it: nothing fails, and no query of fintone waits for the study.

How many seconds they take depends on the machine; `benchmarks.readers` measures it.
"""

from pathlib import Path

import pytest

from benchmarks.readers import OF_EACH, PAUSE, Crowd, run_crowded


@pytest.mark.soak
def test_a_study_and_its_readers_do_not_disturb_each_other(tmp_path: Path) -> None:
    crowd = run_crowded(tmp_path, PAUSE)
    assert crowd.errors == []
    assert {kind: bool(crowd.latencies[kind].seconds) for kind in OF_EACH} == dict.fromkeys(OF_EACH, True)
    check_no_query_waited(crowd)


@pytest.mark.soak
def test_readers_who_hardly_pause_wait_for_the_processor_and_not_for_the_study(tmp_path: Path) -> None:
    """The more processes share a core, the longer a command takes to start, but not a query within a process."""
    crowd = run_crowded(tmp_path, PAUSE / 5)
    assert crowd.errors == []
    check_no_query_waited(crowd)


def check_no_query_waited(crowd: Crowd) -> None:
    """A query that waited for the study would take a large part of it; both take longer beside other work."""
    assert crowd.latencies["storage.query"].seconds[-1] < crowd.seconds / 5

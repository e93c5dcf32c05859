"""Analysts read the warehouse while a study writes it: nobody fails, and nobody who asks fintone waits for long."""

from pathlib import Path

import pytest

from benchmarks.readers import OF_EACH, run_crowded

MOST_SECONDS = 2.0


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.2, 0.0])
def test_a_study_and_those_who_read_do_not_disturb_each_other(tmp_path: Path, pause: float) -> None:
    """Without a pause eight processes keep every core busy, and how long a command takes says nothing of the lock."""
    crowd = run_crowded(tmp_path, pause)
    assert crowd.errors == []
    assert all(crowd.latencies[kind].seconds for kind in OF_EACH)
    assert crowd.latencies["storage.query"].seconds[-1] < MOST_SECONDS or pause == 0

"""Analysts read the warehouse while a study writes it: nothing fails, and no query of fintone waits for the study.

How many seconds they take depends on the machine; `benchmarks.readers` measures it.
"""

from pathlib import Path

import pytest

from benchmarks.kills import Place
from benchmarks.readers import OF_EACH, PAUSE, READERS, Crowd, run_crowded, start_reader
from storage.warehouse import prepare_warehouse


@pytest.mark.slow
@pytest.mark.parametrize("kind", READERS)
def test_a_reader_of_each_kind_is_answered(kind: str, tmp_path: Path) -> None:
    place = Place(tmp_path, None)
    place.home.mkdir()
    prepare_warehouse(place.home / "warehouse.duckdb")
    with start_reader(kind, place, pause=0) as reader:
        assert reader.stdout
        answered = reader.stdout.readline()
        _, message = reader.communicate()
    assert (answered[-10:], message, reader.returncode) == (" answered\n", "", 0)


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

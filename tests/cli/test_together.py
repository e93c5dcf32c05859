"""Several processes in one home at once: none makes another fail, nothing is done twice, dead ones are recognised.

Real commands on the embedded model with tiny settings. `python -m benchmarks.together` runs them many times.
"""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from benchmarks.together import PAIRS, Crew, check_home, overlap, prepare_home
from storage.interruptions import mark_interrupted
from storage.warehouse import READ_PATIENCE, writing
from tests.asking import ask


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Crew:
    return prepare_home(tmp_path_factory.mktemp("together"))


@pytest.mark.soak
def test_two_runs_of_studies_that_share_cells_both_succeed(crew: Crew) -> None:
    ended = crew.run_together([crew.study("1"), crew.study("1,2")])
    assert [(code, err) for code, err in ended if code] == []
    assert check_home(crew.home) == []


@pytest.mark.soak
def test_of_two_exports_to_one_place_one_succeeds_and_the_other_is_refused(crew: Crew, tmp_path: Path) -> None:
    command = ["export", crew.champion(), "--output", str(tmp_path / "model")]
    ended = crew.run_together([command, command])
    assert sorted(code for code, _ in ended) == [0, 2]
    [message] = [err for code, err in ended if code]
    assert "is there already; give a new folder" in message
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "README.md").exists()


@pytest.mark.soak
def test_two_scorings_of_one_source_and_two_reports_have_the_effect_of_one(crew: Crew, tmp_path: Path) -> None:
    score = ["score", str(crew.headlines), "--model", crew.champion()]
    ended = crew.run_together(
        [score, score, ["report", "--output", str(tmp_path)], ["report", "--output", str(tmp_path)]]
    )
    assert [(code, err) for code, err in ended if code] == []
    assert check_home(crew.home) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["charts", "index.html", "reproduction.md"]


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_a_study_is_marked_interrupted_when_its_process_is_gone_and_not_before(crew: Crew, number: int) -> None:
    process = crew.start([*crew.study("1"), "--set", f"grid.seeds={number}"])
    crew.wait_for(process, r"cell \d+/\d+ train ")
    mark_interrupted(crew.home / "warehouse.duckdb")
    assert ("running",) in ask(crew.home, "SELECT status FROM studies")
    process.send_signal(number)
    process.communicate()
    code, _, out = crew.run(["sql", "SELECT status, finished_at IS NULL FROM studies ORDER BY started_at DESC LIMIT 1"])
    assert code == 0
    assert "interrupted" in out
    cells = ask(crew.home, "SELECT count(*) FROM cells WHERE status = 'running'")
    assert cells == [(0,)]
    assert crew.run_together([[*crew.study("1"), "--set", f"grid.seeds={number}"]])[0][0] == 0
    assert check_home(crew.home) == []


@pytest.mark.soak
def test_a_study_waits_for_a_process_that_holds_the_warehouse_and_then_continues(crew: Crew) -> None:
    process = crew.start([*crew.study("1"), "--set", "grid.seeds=3"])
    crew.wait_for(process, "study .*cells? to fine-tune")
    with writing(crew.home / "warehouse.duckdb"):
        time.sleep(READ_PATIENCE + 2)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert re.search(rf"another process \(PID {os.getpid()}, .*\) holds it; waiting until it is free", err)


@pytest.mark.soak
def test_pairs_of_commands_that_overlap_are_sound(tmp_path: Path) -> None:
    sound, faults = overlap(tmp_path, PAIRS)
    assert (faults, set(sound.values())) == ([], {PAIRS})

"""`kill -9` of the flow, the training process or the Prefect server at any moment costs only time."""

from pathlib import Path
from random import Random

import pytest

from benchmarks.kills import disturb, prepare_study, shared_server

KILLS = 20
SEED = 20


@pytest.mark.soak
def test_the_same_command_goes_on_after_any_kill_and_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    study = prepare_study(tmp_path, None, None)
    with shared_server(tmp_path / "server") as server:
        tally = disturb(study, tmp_path, KILLS, Random(SEED), server)
    assert tally.kills == KILLS
    assert tally.mismatches == []

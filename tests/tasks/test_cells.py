"""The warehouse records why the task of a cell ended before the cell was done."""

import shutil
from pathlib import Path

import pytest
from prefect import flow

from schemas.plan import StudyPlan
from tasks.cells import INTERRUPTED, RunEndedError, running
from tests.asking import ask

ENDED = "the run ended before it was done"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (KeyboardInterrupt(), "interrupted", INTERRUPTED),
        (RunEndedError(ENDED), "interrupted", ENDED),
        (ValueError("no such row"), "failed", "ValueError: no such row"),
    ],
)
def test_the_status_and_the_reason_follow_from_the_error(
    trained: tuple[Path, str, StudyPlan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: str,
    reason: str,
) -> None:
    home = Path(shutil.copytree(trained[0], tmp_path / "home"))
    monkeypatch.setenv("FINTONE_HOME", str(home))

    @flow
    def end() -> None:
        with running(trained[2].cells[0]):
            raise error

    with pytest.raises(type(error)):
        end()
    assert ask(home, f"SELECT status, reason FROM cells WHERE cell_id = '{trained[1]}'") == [(status, reason)]

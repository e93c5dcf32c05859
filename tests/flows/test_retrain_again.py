"""A study after an earlier one: on more headlines, after a killed process, and in a home of an older version."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from embedded.grammar import generate_headline
from flows.retrain import retrain
from schemas.config import StudyConfig
from schemas.evaluation import BaselineSettings, PromotionSettings
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from storage.warehouse import prepare_warehouse, writing
from tasks.step_log import StepLog
from tests.asking import ask
from tests.flows.killed_trainings import kill_training
from tests.flows.live import count_states
from tests.flows.small_study import configure_one_cell
from tests.old_home.restore import SETTINGS, STUDY, restore
from tests.server_record import ServerRecord

pytestmark = pytest.mark.usefixtures("server", "lasting_worker", "few_charts")


def test_a_champion_is_compared_with_a_challenger_on_the_challengers_test_part(
    home: Path, config: StudyConfig, recorded: ServerRecord
) -> None:
    lenient = PromotionSettings(min_accuracy=0, max_unparsed_rate=1, beat_baseline=False)
    small = config.model_copy(update={"promotion": lenient, "baselines": BaselineSettings(names=())})
    small = small.model_copy(update={"curve_epochs": (), "grid": {**config.grid, "training.learning_rate": (1e-2,)}})
    first = retrain(small)
    [champion] = ask(home, "SELECT cell_id FROM champions WHERE decision = 'promoted' AND previous_cell_id IS NULL")
    assert ask(home, "SELECT DISTINCT cell_id FROM leaderboard WHERE is_champion") == [champion]
    [board], [summary] = recorded.artifacts("leaderboard"), recorded.artifacts("summary")
    assert re.search(r"^\| \\\* lr=1e\\?-02 ", str(board.data), flags=re.MULTILINE), board.data
    assert "was the champion" in str(board.description)
    assert "was the champion" not in str(summary.description)

    with Path(config.data.source).open("a", newline="") as file:
        random = Random(6)
        csv.writer(file).writerows((row.text, row.sentiment) for row in (generate_headline(random) for _ in range(60)))
    wider = config.split.model_copy(update={"test_per_class": 15})
    second = retrain(small.model_copy(update={"split": wider}))
    assert second != first
    [(decision, previous, n, accuracy, previous_accuracy, difference, p_value, level, reason)] = ask(
        home,
        "SELECT decision, previous_cell_id, n, accuracy, previous_accuracy, difference, p_value, level, reason"
        f" FROM champions WHERE study_id = '{second}'",
    )
    assert previous == champion[0]
    assert f"the champion {champion[0]} on {n} headlines" in reason
    assert difference == pytest.approx(accuracy - previous_accuracy)
    [(splits, test)] = ask(
        home,
        "SELECT count(DISTINCT split_id), max(n) FROM evaluations WHERE part = 'test' AND cell_id ="
        f" '{champion[0]}' AND temperature = 0.1",
    )
    assert (splits, test) == (2, 45)
    learnt = ask(
        home,
        "SELECT count(*) FROM splits AS test JOIN headlines AS a USING (headline_id) WHERE part = 'test' AND split_id ="
        f" (SELECT split_id FROM studies WHERE study_id = '{second}') AND masked_id IN (SELECT masked_id FROM splits"
        " JOIN headlines USING (headline_id) WHERE part <> 'test' AND split_id ="
        f" (SELECT split_id FROM studies WHERE study_id = '{first}'))",
    )
    assert n == test - learnt[0][0]
    assert decision == ("promoted" if difference > 0 and p_value < level else "kept")
    decisions = ask(home, "SELECT count(*) FROM champions")
    assert retrain(small.model_copy(update={"split": wider})) == second
    assert ask(home, "SELECT count(*) FROM champions") == decisions == [(2,)]


@pytest.fixture
def kill_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, int], None]:
    """Kills the training process this many times, each time a training with this learning rate takes its first step."""

    def arrange(learning_rate: float, times: int) -> None:
        def is_due(log: StepLog, event: Any) -> bool:
            return log.cell.settings.training.learning_rate == learning_rate and not isinstance(event, str)

        kill_training(monkeypatch, is_due, times)

    return arrange


@pytest.mark.soak
def test_only_the_cell_whose_process_is_killed_fails_and_the_next_run_tries_it_again(
    home: Path,
    config: StudyConfig,
    kill_worker: Callable[[float, int], None],
    events: list[dict[str, Any]],
    recorded: ServerRecord,
) -> None:
    with_one_retry = config.model_copy(update={"training": config.training.model_copy(update={"retries": 1})})
    kill_worker(1e-2, 2)
    study_id = retrain(with_one_retry)
    assert [len(event["cells"]) for event in events if "cells" in event] == [7, 1]  # the grid, its base and baselines
    assert count_states(events) == {"done": 7, "failed": 1}
    [(rate, epochs, status, reason)] = ask(home, "SELECT learning_rate, epochs, status, reason FROM missing_cells")
    assert (rate, epochs, status) == (1e-2, 1, "failed")
    assert reason.startswith("the training process was killed by signal 9 (SIGKILL), as the system does when memory")
    assert ask(home, "SELECT status FROM studies") == [("incomplete",)]
    board = ask(home, "SELECT DISTINCT learning_rate, epochs FROM leaderboard WHERE kind = 'fine-tuned' ORDER BY ALL")
    assert board == [(1e-3, 1), (1e-3, 2)]
    assert [folder.name for folder in home.glob("checkpoints/*/shared/*")] == ["checkpoint-8"]
    summary = recorded.artifacts("summary")[-1]
    assert "1 cell missing: lr=1e-02 epochs=1 (the training process was killed" in summary.data

    assert retrain(with_one_retry) == study_id
    assert count_states(events) == {"done": 8}
    assert ask(home, "FROM missing_cells") == []
    assert ask(home, "SELECT status FROM studies") == [("finished",)]
    assert ask(home, "SELECT DISTINCT status FROM cells") == [("finished",)]
    assert list(home.glob("checkpoints/*")) == []


@pytest.mark.soak
def test_a_study_of_an_older_version_keeps_its_id(
    home: Path, config: StudyConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = configure_one_cell(config, tmp_path / "copies.csv")
    for age in (2, 0):  # in the older version, settings without effect are part of the id
        with monkeypatch.context() as older:
            known = [number == age for number in range(3)]
            older.setattr("storage.studies.is_known", lambda *_, known=known: known.pop(0))
            aged = study.model_copy(update={"training": study.training.model_copy(update={"retries": 5 + age})})
            first = retrain(aged)
        assert retrain(aged) == first
    assert ask(home, "SELECT count(*) FROM studies") == [(2,)]


def test_the_study_of_an_old_home_is_recognised_as_finished(
    home: Path, tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    restore(home, tmp_path)
    assert retrain(build_config(apply_overrides(load_profile("demo"), SETTINGS))) == STUDY
    lines = [event["text"] for event in events if "text" in event]
    assert f"nothing new: study {STUDY} is finished" in lines
    assert (home / "reports" / STUDY / "index.html").exists()
    assert ask(home, "SELECT count(*), count(DISTINCT study_id) FROM studies") == [(1, 1)]


def test_the_training_cutoff_of_the_base_model_can_be_set_after_the_study_is_finished(
    home: Path, tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    restore(home, tmp_path)
    prepare_warehouse(home / "warehouse.duckdb")
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE headlines SET published_at = '2023-02-10'")
    settings = [*SETTINGS, "base_model.trained_until=2023-03-01"]
    before = ask(home, "SELECT cell_id, hyperparameters, status FROM cells ORDER BY ALL")
    assert retrain(build_config(apply_overrides(load_profile("demo"), settings))) == STUDY
    assert ask(home, "SELECT cell_id, hyperparameters, status FROM cells ORDER BY ALL") == before
    warning = (
        "12 of 12 test headlines are not later than the base model's training cutoff 2023-03-01; it may have read them"
    )
    assert f"note: {warning}" in [event.get("text") for event in events]
    page = (home / "reports" / STUDY / "index.html").read_text(encoding="utf-8")
    assert f"Mind that {warning}." in page.replace("&#39;", "'")
    counted = "SELECT kind, sum(n), sum(n_before_cutoff) FROM accuracy_over_time WHERE period = 'month' GROUP BY kind"
    by_kind = {kind: read == n for kind, n, read in ask(home, counted)}
    assert by_kind == {"base": True, "baseline": False, "fine-tuned": True}

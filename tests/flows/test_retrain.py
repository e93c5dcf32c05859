"""The flow end to end, with a real Prefect server, warehouse, 4-bit model and adapters; only the study is small."""

import csv
import os
import re
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from embedded.grammar import generate_headline
from flows.retrain import retrain
from operations.worker import _workers
from reporting.markdown import escape
from schemas.config import BaselineSettings, PromotionSettings, StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from storage.warehouse import prepare_warehouse, writing
from tasks.step_log import StepLog
from tests.asking import ask
from tests.flows.live import count_states
from tests.old_home.restore import SETTINGS, STUDY, restore
from tests.told import Told

pytestmark = pytest.mark.usefixtures("server", "lasting_worker")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_charts: None) -> Path:
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def configure(folder: Path, base: Path, encoder: Path) -> StudyConfig:
    """Two learning rates x one epoch on 30 headlines, then an epoch curve of one more cell."""
    random = Random(5)
    rows = [generate_headline(random) for _ in range(150)]
    with (folder / "headlines.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("text", "label"), *((row.text, row.sentiment) for row in rows), ("no label here", "good")])
    values = load_profile("demo")
    values["data"] = {"source": str(folder / "headlines.csv")}
    values["split"] = {"method": "hashed", "train_per_class": 10, "test_per_class": 10, "validation_per_class": 5}
    values["base_model"] = {"name": str(base)}
    values["baselines"] = {"embedding_model": str(encoder)}
    values["lora"] = {"r": 4}
    values["grid"] = {"learning_rates": [1e-3, 1e-2], "epochs": [1], "curve_epochs": [1, 2]}
    return build_config(values)


@pytest.fixture
def config(tmp_path: Path, tiny_folder: Path, tiny_encoder: Path) -> StudyConfig:
    return configure(tmp_path, tiny_folder, tiny_encoder)


@dataclass(frozen=True)
class Finished:
    """A study that has run, with the checkpoints that a kill at the very end leaves."""

    home: Path
    config: StudyConfig
    study_id: str
    told: Told


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, tiny_encoder: Path, server: str, lasting_worker: None
) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    config, told = configure(folder, tiny_folder, tiny_encoder), Told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(folder / "home"))
        patch.setattr("flows.retrain.drop_checkpoints", lambda _: None)
        return Finished(folder / "home", config, retrain(config), told)


def find(artifacts: list[Any], key: str) -> Any:
    [found] = [artifact for artifact in artifacts if artifact.key == key]
    return found


def check_report(told: str, page: Path) -> None:
    assert "Validation chose " in told
    assert escape(str(page), 2_000) in told
    assert "file:" not in told


def test_a_study_fills_the_warehouse_and_tells_prefect(finished: Finished) -> None:
    home, study_id, told = finished.home, finished.study_id, finished.told
    board = ask(home, "SELECT kind, count(*) FROM leaderboard WHERE part = 'test' GROUP BY kind ORDER BY kind")
    assert board == [("base", 3), ("baseline", 4), ("fine-tuned", 9)]
    assert ask(home, "SELECT study_id, status FROM studies") == [(study_id, "finished")]
    assert ask(home, "SELECT DISTINCT status FROM cells") == [("finished",)]
    assert ask(home, "SELECT rows_read, rows_accepted + rows_merged, rows_rejected FROM sources") == [(151, 150, 1)]
    assert ask(home, "SELECT reason FROM rejected_rows") == [("unknown label 'good'",)]
    assert ask(home, "SELECT part, count(*) FROM splits GROUP BY part ORDER BY part") == [
        ("test", 30),
        ("train", 30),
        ("validation", 15),
    ]
    cells = ask(home, "SELECT epochs, first_step, steps, cell_id FROM cells WHERE kind = 'fine-tuned' AND epochs = 2")
    [(_, first_step, steps, cell_id)] = cells  # the curve's cell goes on from the grid's, and has its log
    assert (first_step, steps) == (4, 8)
    log = ask(home, f"SELECT step FROM training_log WHERE cell_id = '{cell_id}' ORDER BY step")
    assert log == [(step,) for step in range(1, 9)]
    rungs = ask(
        home,
        "SELECT kind, min(rung), max(rung), bool_and(size_bytes > 0 AND headlines_per_second > 0 AND mcc IS NOT NULL),"
        " bool_and(train_seconds > 0) FROM ladder GROUP BY kind ORDER BY min(rung)",
    )
    assert rungs == [("baseline", 1, 4, True, True), ("base", 5, 5, True, None), ("fine-tuned", 6, 8, True, True)]
    ledger = ask(
        home,
        "SELECT count(*), min(p), max(p) FROM (SELECT p_negative + p_neutral + p_positive + p_unparsed"
        " AS p FROM predictions)",
    )
    assert ledger[0][0] == (3 + 9 + 4) * 30 + (3 + 9 + 4) * 15
    assert ledger[0][1:] == (pytest.approx(1.0), pytest.approx(1.0))
    sure = ask(
        home,
        "SELECT model, bool_and(coalesce(p_positive, p_neutral, p_negative, p_unparsed) IS NULL),"
        " bool_or(p_positive BETWEEN 0.01 AND 0.99), bool_and(temperature IS NULL) FROM predictions"
        " JOIN cells USING (cell_id) WHERE kind = 'baseline' GROUP BY ALL ORDER BY ALL",
    )
    assert sure == [
        ("TF-IDF + linear SVM", True, None, True),
        ("finance lexicon", True, None, True),
        ("majority class", True, None, True),
        ("sentence embeddings + logistic regression", False, True, True),
    ]
    assert ask(home, "SELECT DISTINCT hyperparameters->>'embedding_model' FROM cells WHERE model LIKE 'sentence%'") == [
        ("tiny",)
    ]
    agree = ask(
        home,
        "SELECT bool_and(abs(a - accuracy) < 1e-9) FROM leaderboard JOIN (SELECT cell_id, part,"
        " temperature, avg((label = predicted)::INT) AS a FROM predictions GROUP BY ALL) AS p"
        " ON p.cell_id = leaderboard.cell_id AND p.part = leaderboard.part"
        " AND p.temperature IS NOT DISTINCT FROM leaderboard.temperature",
    )
    assert agree == [(True,)]
    pairs = 3 * (6 + 4 * 4) + 6  # of 4 models and with 4 baselines at 3 temperatures, and of the baselines
    assert ask(home, "SELECT count(*), count(DISTINCT part), min(pairs), min(n), max(n) FROM comparisons") == [
        (2 * pairs, 1, pairs, 30, 30)
    ]
    agree = ask(
        home,
        "SELECT count(*), bool_and(abs(own.accuracy - other.accuracy - difference) < 1e-9) FROM comparisons"
        " JOIN leaderboard AS own USING (study_id, part, cell_id)"
        " JOIN leaderboard AS other ON other.study_id = own.study_id AND other.part = own.part"
        " AND other.cell_id = comparisons.other_cell_id WHERE coalesce(own.temperature = comparisons.temperature, true)"
        " AND coalesce(other.temperature = comparisons.temperature, true)",
    )
    assert agree == [(2 * pairs, True)]
    flipped = ask(
        home,
        "SELECT bool_and(only_right = a AND only_other_right = b) FROM comparisons JOIN (SELECT cell_id, other_cell_id,"
        " temperature, count(*) FILTER (right_cell_id = cell_id) AS a, count(*) FILTER (right_cell_id = other_cell_id)"
        " AS b FROM flips WHERE part = 'test' GROUP BY ALL) AS f ON f.cell_id = comparisons.cell_id"
        " AND f.other_cell_id = comparisons.other_cell_id"
        " AND f.temperature IS NOT DISTINCT FROM comparisons.temperature",
    )
    assert flipped == [(True,)]
    assert ask(home, "SELECT kind, count(*) FROM baseline_verdicts GROUP BY ALL ORDER BY ALL") == [
        ("base", 3),
        ("fine-tuned", 9),
    ]
    logged = ask(home, "SELECT epochs, count(*) FROM training_log JOIN cells USING (cell_id) GROUP BY ALL ORDER BY ALL")
    assert logged == [(1, 8), (2, 8)]
    adapters = {folder.name for folder in (home / "adapters").iterdir()}
    assert adapters == {cell for (cell,) in ask(home, "SELECT cell_id FROM cells WHERE kind = 'fine-tuned'")}

    [(cell, *decided, reason)] = ask(
        home, "SELECT cell_id, decision, decided_by, champion_cell_id, reason FROM champions"
    )
    assert decided == ["kept", "gate", None]
    assert re.search(
        r"the best baseline .* on 30 headlines: .*\], p.* at level 0\.0304; .*look 1 at these test", reason
    )

    flow_runs, task_runs, artifacts = told.flow_runs(), told.task_runs(), told.artifacts()
    assert [run.name for run in flow_runs] == [
        f"demo on {finished.config.data.source}: lr=1e-03,1e-02 epochs=1,2, study {study_id}"
    ]
    names = {run.name for run in task_runs}
    assert {"train lr=1e-03 epochs=1", "score lr=1e-02 epochs=1"} <= names
    assert {"baseline: TF-IDF + linear SVM", "plan epoch curve", "compare cells", "publish leaderboard"} <= names
    table, summary, report = (find(artifacts, key) for key in ("leaderboard", "summary", "report"))
    assert "| baseline: finance lexicon |  | " in table.data
    assert re.search(rf"the best baseline, .*\], p.* after Holm's correction for {pairs} comparisons\.", summary.data)
    decision = f"did not promote cell {cell}, and there was no champion. Reason: {escape(reason, 2_000)}."
    assert f"{decision} The champion when this was published: none." in summary.data
    [page] = home.glob("reports/*/index.html")
    assert study_id in page.read_text(encoding="utf-8")
    check_report(report.data, page)


def test_what_is_finished_is_not_done_again(home: Path, finished: Finished) -> None:
    shutil.copytree(finished.home, home)
    assert list(home.glob("checkpoints/*")) != []
    [page] = home.glob("reports/*/index.html")
    shutil.rmtree(page.parent)
    evaluations, cells = "FROM evaluations ORDER BY evaluation_id", "SELECT cell_id, finished_at FROM cells"
    before = ask(home, evaluations), ask(home, cells)
    assert retrain(finished.config) == finished.study_id
    assert (ask(home, evaluations), ask(home, cells)) == before
    assert list(home.glob("checkpoints/*")) == []
    assert page.exists()

    compared = ask(home, "FROM comparisons ORDER BY ALL")
    with writing(home / "warehouse.duckdb") as connection:  # as a version without comparisons left it
        connection.execute("DELETE FROM ledger.comparisons")
    source = Path(finished.config.data.source)
    elsewhere = f"{source.parent}/../{source.parent.name}/{source.name}"
    spelled = finished.config.data.model_copy(update={"source": elsewhere})
    patient = finished.config.training.model_copy(update={"retries": 3})
    assert retrain(finished.config.model_copy(update={"data": spelled, "training": patient})) == finished.study_id
    assert ask(home, "FROM comparisons ORDER BY ALL") == compared
    assert ask(home, cells) == before[1]


def test_another_temperature_and_more_draws_train_nothing(home: Path, finished: Finished) -> None:
    shutil.copytree(finished.home, home)
    trained = "SELECT cell_id, finished_at FROM cells WHERE kind = 'fine-tuned' ORDER BY ALL"
    scored = "SELECT * EXCLUDE (draws) FROM evaluations WHERE temperature IS DISTINCT FROM 2 ORDER BY evaluation_id"
    before = ask(home, trained), ask(home, scored)
    decoding = finished.config.decoding.model_copy(update={"temperatures": (0.1, 1.0, 2.0, 10.0), "draws": 3})
    study_id = retrain(finished.config.model_copy(update={"decoding": decoding}))
    assert study_id != finished.study_id
    assert (ask(home, trained), ask(home, scored)) == before
    rows = f"SELECT count(*) FROM leaderboard WHERE study_id = '{study_id}' AND part = 'test'"
    assert ask(home, rows) == [(4 * 4 + 4,)]
    counts = ask(home, "SELECT study_id, count(*) FROM draws WHERE part = 'test' GROUP BY ALL")
    assert dict(counts) == {finished.study_id: 4 * 3, study_id: 4 * 4 * 3}


def test_a_champion_meets_the_challenger_on_the_challengers_test_part(home: Path, config: StudyConfig) -> None:
    lenient = PromotionSettings(min_accuracy=0, max_unparsed_rate=1, beat_baseline=False)
    small = config.model_copy(update={"promotion": lenient, "baselines": BaselineSettings(names=())})
    small = small.model_copy(update={"curve_epochs": (), "grid": {**config.grid, "training.learning_rate": (1e-2,)}})
    first = retrain(small)
    [champion] = ask(home, "SELECT cell_id FROM champions WHERE decision = 'promoted' AND previous_cell_id IS NULL")
    assert ask(home, "SELECT DISTINCT cell_id FROM leaderboard WHERE is_champion") == [champion]

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
    """Arrange that the process that trains is killed at the first step of a learning rate, so many times."""

    def arrange(learning_rate: float, times: int) -> None:
        left = [times]
        take = StepLog.update

        def kill_and_take(log: StepLog, event: Any) -> None:
            if log.cell.settings.training.learning_rate == learning_rate and left[0] and not isinstance(event, str):
                left[0] -= 1
                [process] = [worker._process for worker in _workers]
                assert process is not None
                os.kill(process.pid, signal.SIGKILL)
            take(log, event)

        monkeypatch.setattr(StepLog, "update", kill_and_take)

    return arrange


@pytest.mark.slow
def test_a_cell_whose_process_is_killed_costs_itself_alone_and_the_next_run_tries_it_again(
    home: Path,
    config: StudyConfig,
    kill_worker: Callable[[float, int], None],
    events: list[dict[str, Any]],
    told: Told,
) -> None:
    once_more = config.model_copy(update={"training": config.training.model_copy(update={"retries": 1})})
    kill_worker(1e-2, 2)
    study_id = retrain(once_more)
    assert [len(event["cells"]) for event in events if "cells" in event] == [7, 1]  # the grid, its base and baselines
    assert count_states(events) == {"done": 7, "failed": 1}
    [(rate, epochs, status, reason)] = ask(home, "SELECT learning_rate, epochs, status, reason FROM missing_cells")
    assert (rate, epochs, status) == (1e-2, 1, "failed")
    assert reason.startswith("the training process was killed by signal 9 (SIGKILL), as the system does where memory")
    assert ask(home, "SELECT status FROM studies") == [("incomplete",)]
    board = ask(home, "SELECT DISTINCT learning_rate, epochs FROM leaderboard WHERE kind = 'fine-tuned' ORDER BY ALL")
    assert board == [(1e-3, 1), (1e-3, 2)]
    assert [folder.name for folder in home.glob("checkpoints/*/shared/*")] == ["checkpoint-8"]
    summary = told.artifacts("summary")[-1]
    assert "1 cell missing: lr=1e-02 epochs=1 (the training process was killed" in summary.data

    assert retrain(once_more) == study_id
    assert count_states(events) == {"done": 8}
    assert ask(home, "FROM missing_cells") == []
    assert ask(home, "SELECT status FROM studies") == [("finished",)]
    assert ask(home, "SELECT DISTINCT status FROM cells") == [("finished",)]
    assert list(home.glob("checkpoints/*")) == []


def test_a_split_that_the_data_cannot_fill_trains_nothing(home: Path, config: StudyConfig) -> None:
    greedy = config.model_copy(update={"split": config.split.model_copy(update={"train_per_class": 1_000})})
    with pytest.raises(ValueError, match="split: 1011 negative headlines are needed"):
        retrain(greedy)
    assert ask(home, "SELECT count(*) FROM cells") == [(0,)]


@pytest.mark.slow
def test_the_real_phrasebank_is_split_as_in_the_study(home: Path, config: StudyConfig, fpb_folder: Path) -> None:
    """Rows of the archive, 900 train and 900 test headlines, a base and a fine-tuned cell at three temperatures."""
    paper = load_profile("paper")
    settings = build_config(
        {
            **paper,
            "data": {**paper["data"], "source": str(fpb_folder / "FinancialPhraseBank-v1.0.zip")},
            "split": {**paper["split"], "validation_per_class": 4},
            "base_model": {"name": config.base_model.name},
            "lora": {"r": 4},
            "training": {**paper["training"], "micro_batch_size": 8},
            "grid": {"learning_rates": [1e-3], "epochs": [1]},
            "curve_epochs": [],
        }
    )
    retrain(settings)
    parts = dict(ask(home, "SELECT part, count(*) FROM splits GROUP BY part"))
    assert parts == {"train": 900, "test": 900, "validation": 12}
    board = ask(
        home,
        "SELECT kind, n, count(*) FROM leaderboard WHERE part = 'test' AND kind <> 'baseline' GROUP BY ALL"
        " ORDER BY ALL",
    )
    assert board == [("base", 900, 3), ("fine-tuned", 900, 3)]
    measured = ask(home, "SELECT count(measured_accuracy) FROM reproduction")
    assert measured == [(3,)]


def smallest(config: StudyConfig, source: Path) -> StudyConfig:
    """A study of one cell on three texts, eight times each."""
    texts = {"positive": "Profit rose", "neutral": "The meeting is in May", "negative": "Sales fell"}
    source.write_text("text,label\n" + "".join(f"{text},{label}\n" for label, text in texts.items()) * 8)
    values = config.model_dump(mode="json")
    values["data"] = {"source": str(source), "duplicates": "keep"}
    values["split"] = {"method": "study", "train_per_class": 3, "test_per_class": 3}
    values["baselines"] = {"names": ["TF-IDF + linear SVM"]}
    values["grid"], values["curve_epochs"] = {"learning_rates": [1e-3], "epochs": [1]}, []
    return build_config(values)


@pytest.mark.slow
def test_a_study_of_an_older_version_keeps_its_id(
    home: Path, config: StudyConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = smallest(config, tmp_path / "copies.csv")
    for age in (2, 0):  # in the older one settings without effect are part of the id
        with monkeypatch.context() as older:
            known = [number == age for number in range(3)]
            older.setattr("storage.studies.is_known", lambda *_, known=known: known.pop(0))
            aged = study.model_copy(update={"training": study.training.model_copy(update={"retries": 5 + age})})
            first = retrain(aged)
        assert retrain(aged) == first
    assert ask(home, "SELECT count(*) FROM studies") == [(2,)]


def test_copies_of_test_headlines_in_train_are_told_and_nobody_is_judged_by_them(
    home: Path, config: StudyConfig, tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    study_id = retrain(smallest(config, tmp_path / "copies.csv"))
    told = "9 of 9 test headlines have near copies in train"
    assert any(f"note: {told}" in event.get("text", "") for event in events)
    page = (home / "reports" / study_id / "index.html").read_text(encoding="utf-8")
    assert f"Mind that {told}" in page
    assert "9 test headlines have near copies in train: 3 groups, with 9 headlines in train." in page
    [(decision, reason)] = ask(home, "SELECT decision, reason FROM champions")
    assert decision == "kept"
    refusal = "cannot be compared with the best baseline TF-IDF + linear SVM: it was trained on every one of"
    assert f"{refusal} these test headlines" in reason
    assert "None" not in reason


def test_the_study_of_an_old_home_is_known_as_finished(
    home: Path, tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    restore(home, tmp_path)
    assert retrain(build_config(apply_overrides(load_profile("demo"), SETTINGS))) == STUDY
    told = [event["text"] for event in events if "text" in event]
    assert f"nothing new: study {STUDY} is finished" in told
    assert (home / "reports" / STUDY / "index.html").exists()
    assert ask(home, "SELECT count(*), count(DISTINCT study_id) FROM studies") == [(1, 1)]


def test_until_when_the_base_model_was_trained_can_be_said_of_a_finished_study(
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
    told = "12 of 12 test headlines are older than the base model's training cutoff 2023-03-01; it may have read them"
    assert f"note: {told}" in [event.get("text") for event in events]
    page = (home / "reports" / STUDY / "index.html").read_text(encoding="utf-8")
    assert f"Mind that {told}." in page.replace("&#39;", "'")
    counted = "SELECT kind, sum(n), sum(n_before_cutoff) FROM accuracy_over_time WHERE period = 'month' GROUP BY kind"
    by_kind = {kind: read == n for kind, n, read in ask(home, counted)}
    assert by_kind == {"base": True, "baseline": False, "fine-tuned": True}

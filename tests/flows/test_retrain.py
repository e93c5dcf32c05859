"""The flow end to end, with a real Prefect server, warehouse, 4-bit model and adapters; only the study is small."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from unittest.mock import Mock

import pytest

from flows.retrain import retrain
from learning.baselines.embeddings import resolve_embedding_model
from operations.floors import describe_proposal
from operations.promotion import propose
from reporting.markdown import escape
from schemas.config import StudyConfig
from schemas.errors import InputError
from storage.warehouse import prepare_warehouse, writing
from tests.asking import ask
from tests.flows.small_study import configure_grid
from tests.held_warehouse import held_elsewhere
from tests.server_record import ServerRecord

pytestmark = pytest.mark.usefixtures("server", "lasting_worker")


@dataclass(frozen=True)
class Finished:
    """A study that has run, with the checkpoints that a kill at its very end leaves."""

    home: Path
    config: StudyConfig
    study_id: str
    recorded: ServerRecord


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, tiny_encoder: Path, server: str, lasting_worker: None
) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    config, recorded = configure_grid(folder, tiny_folder, tiny_encoder), ServerRecord()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(folder / "home"))
        patch.setattr("flows.retrain.drop_checkpoints", lambda _: None)
        return Finished(folder / "home", config, retrain(config), recorded)


def find(artifacts: list[Any], key: str) -> Any:
    [found] = [artifact for artifact in artifacts if artifact.key == key]
    return found


def check_report(text: str, page: Path) -> None:
    assert "**May we use it? No.** " in text
    assert "Validation chose " in text
    assert escape(str(page), 2_000) in text
    assert "file:" not in text


@pytest.mark.quick
def test_a_study_fills_the_warehouse_and_publishes_its_results_to_prefect(finished: Finished) -> None:
    home, study_id, recorded = finished.home, finished.study_id, finished.recorded
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
    [(_, first_step, steps, cell_id)] = cells  # the curve's cell continues the grid's cell, and has its log
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
    answers = ask(
        home,
        "SELECT model, bool_and(coalesce(p_positive, p_neutral, p_negative, p_unparsed) IS NULL),"
        " bool_or(p_positive BETWEEN 0.01 AND 0.99), bool_and(temperature IS NULL) FROM predictions"
        " JOIN cells USING (cell_id) WHERE kind = 'baseline' GROUP BY ALL ORDER BY ALL",
    )
    assert answers == [
        ("TF-IDF + linear SVM", True, None, True),
        ("finance lexicon", True, None, True),
        ("majority class", True, None, True),
        ("sentence embeddings + logistic regression", False, True, True),
    ]
    agree = ask(
        home,
        "SELECT bool_and(abs(a - accuracy) < 1e-9) FROM leaderboard JOIN (SELECT cell_id, part,"
        " temperature, avg((label = predicted)::INT) AS a FROM predictions GROUP BY ALL) AS p"
        " ON p.cell_id = leaderboard.cell_id AND p.part = leaderboard.part"
        " AND p.temperature IS NOT DISTINCT FROM leaderboard.temperature",
    )
    assert agree == [(True,)]
    pairs = (
        3 * (6 + 4 * 4) + 6
    )  # 4 models with each other and with 4 baselines, at 3 temperatures; the baselines with each other
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
    adapters = {(str(folder.relative_to(home)),) for folder in (home / "adapters").iterdir()}
    assert adapters == set(ask(home, "SELECT adapter_path FROM cells WHERE kind = 'fine-tuned'"))

    [(cell, *decided, reason)] = ask(
        home, "SELECT cell_id, decision, decided_by, champion_cell_id, reason FROM champions"
    )
    assert decided == ["kept", "gate", None]
    assert re.search(
        r"the best baseline .* on 30 headlines: .*\], p.* at level 0\.0304; .*look 1 at these test", reason
    )

    flow_runs, task_runs, artifacts = recorded.flow_runs(), recorded.task_runs(), recorded.artifacts()
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


def test_the_encoder_of_a_baseline_is_in_the_warehouse_with_its_revision(finished: Finished) -> None:
    encoder = resolve_embedding_model(str(finished.config.baselines.embedding_model), finished.home / "models")
    of_encoder = "hyperparameters->>'embedding_model', hyperparameters->>'revision'"
    found = ask(finished.home, f"SELECT DISTINCT {of_encoder} FROM cells WHERE model LIKE 'sentence%'")
    assert found == [("tiny", encoder.revision)]


def test_a_manual_promotion_shows_the_level_that_the_gate_used(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate would repeat its decision, since it has read the same figures: that is no second look."""
    monkeypatch.setenv("FINTONE_HOME", str(finished.home))
    [(cell,)] = ask(finished.home, "SELECT cell_id FROM champions")
    floors = dict(describe_proposal(propose(cell, "no reason", "a person")))
    assert " at level 0.0304" in floors["floors missed"] + floors["floors met"]


@pytest.mark.usefixtures("few_charts")
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
    with writing(home / "warehouse.duckdb") as connection:  # as a version without comparisons leaves it
        connection.execute("DELETE FROM ledger.comparisons")
    source = Path(finished.config.data.source)
    elsewhere = f"{source.parent}/../{source.parent.name}/{source.name}"
    spelled = finished.config.data.model_copy(update={"source": elsewhere})
    patient = finished.config.training.model_copy(update={"retries": 3})
    assert retrain(finished.config.model_copy(update={"data": spelled, "training": patient})) == finished.study_id
    assert ask(home, "FROM comparisons ORDER BY ALL") == compared
    assert ask(home, cells) == before[1]


@pytest.mark.usefixtures("few_charts")
def test_a_study_that_is_interrupted_while_it_writes_its_report_is_finished(
    home: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished.home, home)
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET status = 'failed'")
    monkeypatch.setattr("flows.retrain.publish_report", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        retrain(finished.config)
    assert ask(home, "SELECT status FROM studies") == [("finished",)]


def test_a_study_waits_for_the_warehouse_from_its_beginning(
    home: Path, config: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes as far as its source, though another process holds the warehouse for longer than a reader waits."""
    prepare_warehouse(home / "warehouse.duckdb")
    monkeypatch.setattr("storage.warehouse.READ_PATIENCE", 0.1)
    begun = Event()

    def prepare(warehouse: Path) -> None:
        begun.set()
        prepare_warehouse(warehouse)

    monkeypatch.setattr("flows.retrain.prepare_warehouse", prepare)
    missing = config.model_copy(update={"data": config.data.model_copy(update={"source": "nowhere.csv"})})
    with ThreadPoolExecutor() as pool:
        with held_elsewhere(home / "warehouse.duckdb"):
            run = pool.submit(retrain, missing)
            assert begun.wait(timeout=60)
            with pytest.raises(TimeoutError):
                run.result(timeout=1)
        with pytest.raises(InputError, match=r"nowhere\.csv"):
            run.result()


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
